//! Packets to run programs on: one of each kind that programs tell apart, short ones, and random
//! ones. Generated, so that they are the same everywhere.
//!
//! Addresses are of the documentation ranges. `192.0.2.1` and `2001:db8::1`, ports 80 and 53, are
//! what the maps of `programs/fixtures` know as services.

/// A packet with a name.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Name in reports.
    pub name: String,
    /// Bytes from the Ethernet header on.
    pub bytes: Vec<u8>,
}

/// `splitmix64`: small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator whose numbers depend on `seed` alone.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }

    /// So many random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| self.next_u64().to_le_bytes()[0])
            .collect()
    }
}

const CLIENT4: [u8; 4] = [198, 51, 100, 7];
const SERVICE4: [u8; 4] = [192, 0, 2, 1];
const CLIENT6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
const SERVICE6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP6: u8 = 58;
const ACK: u8 = 0x10;
const SYN: u8 = 2;

fn ether(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    bytes.extend(kind.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn vlan(outer: u16, tag: u16, packet: &[u8]) -> Vec<u8> {
    let (addresses, rest) = packet.split_at(12.min(packet.len()));
    let mut bytes = addresses.to_vec();
    bytes.extend(outer.to_be_bytes());
    bytes.extend(tag.to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [_, _, high, low] = (!sum).to_be_bytes();
    [high, low]
}

struct Ip4<'bytes> {
    from: [u8; 4],
    to: [u8; 4],
    protocol: u8,
    ttl: u8,
    fragment: u16,
    options: &'bytes [u8],
}

impl Ip4<'_> {
    const REQUEST: Ip4<'static> = Ip4 {
        from: CLIENT4,
        to: SERVICE4,
        protocol: TCP,
        ttl: 64,
        fragment: 0,
        options: &[],
    };

    fn header(&self, payload: &[u8]) -> Vec<u8> {
        let words = 5 + self.options.len() / 4;
        let mut bytes = vec![0x40 | u8::try_from(words).unwrap_or(5), 0x28];
        bytes.extend(length16(words * 4 + payload.len()));
        bytes.extend([0x12, 0x34]);
        bytes.extend(self.fragment.to_be_bytes());
        bytes.extend([self.ttl, self.protocol, 0, 0]);
        bytes.extend(self.from);
        bytes.extend(self.to);
        bytes.extend(self.options);
        let sum = checksum(&bytes);
        bytes[10..12].copy_from_slice(&sum);
        bytes.extend(payload);
        bytes
    }
}

fn ip4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header = Ip4 {
        protocol,
        ..Ip4::REQUEST
    };
    ether(0x0800, &header.header(payload))
}

fn ip6_header(from: [u8; 16], to: [u8; 16], next: u8, hops: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x62, 0x80, 0, 1];
    bytes.extend(length16(payload.len()));
    bytes.extend([next, hops]);
    bytes.extend(from);
    bytes.extend(to);
    bytes.extend(payload);
    bytes
}

fn ip6(next: u8, payload: &[u8]) -> Vec<u8> {
    ether(0x86dd, &ip6_header(CLIENT6, SERVICE6, next, 64, payload))
}

fn tcp(from: u16, to: u16, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(from.to_be_bytes());
    bytes.extend(to.to_be_bytes());
    bytes.extend([
        0, 0, 1, 0, 0, 0, 2, 0, 0x50, flags, 0x20, 0, 0xab, 0xcd, 0, 0,
    ]);
    bytes.extend(data);
    bytes
}

fn udp(from: u16, to: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(from.to_be_bytes());
    bytes.extend(to.to_be_bytes());
    bytes.extend(length16(8 + data.len()));
    bytes.extend([0x12, 0x34]);
    bytes.extend(data);
    bytes
}

fn icmp(kind: u8, code: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0, 0, 1, 0, 2];
    bytes.extend(data);
    let sum = checksum(&bytes);
    bytes[2..4].copy_from_slice(&sum);
    bytes
}

/// All packets: of each kind, cut short, and random.
#[must_use]
pub fn all() -> Vec<Packet> {
    let mut packets = of_each_kind();
    packets.extend(short());
    packets.extend(random());
    packets
}

fn named(name: &str, bytes: Vec<u8>) -> Packet {
    Packet {
        name: name.to_owned(),
        bytes,
    }
}

fn of_each_kind() -> Vec<Packet> {
    let data: Vec<u8> = (0..120).collect();
    let request = tcp(40000, 80, ACK, &data);
    let reply4 = Ip4 {
        from: SERVICE4,
        to: CLIENT4,
        ..Ip4::REQUEST
    };
    let expired = Ip4 {
        ttl: 1,
        ..Ip4::REQUEST
    };
    let first_fragment = Ip4 {
        fragment: 0x2000,
        ..Ip4::REQUEST
    };
    let later_fragment = Ip4 {
        fragment: 0x00b9,
        protocol: UDP,
        ..Ip4::REQUEST
    };
    let with_options = Ip4 {
        options: &[0x94, 4, 0, 0, 1, 1, 1, 1],
        ..Ip4::REQUEST
    };
    let inner4 = reply4.header(&tcp(80, 40000, ACK, &[0; 8]));
    let inner6 = ip6_header(SERVICE6, CLIENT6, UDP, 60, &udp(53, 40001, &[0; 8]));
    let mut fragment6 = vec![UDP, 0, 0, 1, 0, 0, 0, 9];
    fragment6.extend(udp(40001, 53, &data));
    vec![
        named("ipv4 tcp syn", ip4(TCP, &tcp(40000, 80, SYN, &[]))),
        named("ipv4 tcp", ip4(TCP, &request)),
        named("ipv4 tcp again", ip4(TCP, &request)),
        named("ipv4 tcp reset", ip4(TCP, &tcp(40000, 80, 4, &data))),
        named(
            "ipv4 tcp other port",
            ip4(TCP, &tcp(40000, 8080, ACK, &data)),
        ),
        named("ipv4 udp", ip4(UDP, &udp(40001, 53, &data))),
        named("ipv4 udp high port", ip4(UDP, &udp(40001, 5353, &data))),
        named("ipv4 echo", ip4(ICMP, &icmp(8, 0, &data))),
        named("ipv4 unreachable", ip4(ICMP, &icmp(3, 4, &inner4))),
        named("ipv4 time exceeded", ip4(ICMP, &icmp(11, 0, &inner4))),
        named("ipv4 ttl 1", ether(0x0800, &expired.header(&request))),
        named(
            "ipv4 first fragment",
            ether(0x0800, &first_fragment.header(&request)),
        ),
        named(
            "ipv4 later fragment",
            ether(0x0800, &later_fragment.header(&data)),
        ),
        named(
            "ipv4 options",
            ether(0x0800, &with_options.header(&request)),
        ),
        named(
            "ipv4 reply",
            ether(0x0800, &reply4.header(&tcp(80, 40000, ACK, &data))),
        ),
        named("ipv4 in ipv4", ip4(4, &Ip4::REQUEST.header(&request))),
        named("ipv6 tcp syn", ip6(TCP, &tcp(40000, 80, SYN, &[]))),
        named("ipv6 tcp", ip6(TCP, &request)),
        named("ipv6 udp", ip6(UDP, &udp(40001, 53, &data))),
        named("ipv6 echo", ip6(ICMP6, &icmp(128, 0, &data))),
        named("ipv6 too big", ip6(ICMP6, &icmp(2, 0, &inner6))),
        named("ipv6 fragment", ip6(44, &fragment6)),
        named(
            "ipv6 hop limit 1",
            ether(0x86dd, &ip6_header(CLIENT6, SERVICE6, TCP, 1, &request)),
        ),
        named(
            "vlan ipv4 udp",
            vlan(0x8100, 0x2005, &ip4(UDP, &udp(40001, 53, &data))),
        ),
        named("vlan ipv6 tcp", vlan(0x8100, 7, &ip6(TCP, &request))),
        named(
            "two vlans ipv4 tcp",
            vlan(0x88a8, 0xe00a, &vlan(0x8100, 9, &ip4(TCP, &request))),
        ),
        named(
            "arp",
            ether(
                0x0806,
                &[
                    0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 198, 51, 100, 7, 0, 0, 0, 0, 0, 0,
                    192, 0, 2, 1,
                ],
            ),
        ),
        named("large", ip4(UDP, &udp(40001, 53, &[0x5a; 1400]))),
        named("zeros", vec![0; 64]),
    ]
}

fn short() -> Vec<Packet> {
    let tcp4 = ip4(TCP, &tcp(40000, 80, ACK, &[]));
    let udp6 = ip6(UDP, &udp(40001, 53, &[]));
    let mut packets = Vec::new();
    for length in [14, 15, 20, 33, 34, 38, 42, 53] {
        packets.push(named(
            &format!("ipv4 cut to {length}"),
            tcp4[..length].to_vec(),
        ));
    }
    for length in [40, 54, 58, 61] {
        packets.push(named(
            &format!("ipv6 cut to {length}"),
            udp6[..length].to_vec(),
        ));
    }
    packets
}

fn random() -> Vec<Packet> {
    let mut random = Random::new(0x6d69_6c6c);
    let templates = [
        ip4(TCP, &tcp(40000, 80, ACK, &[0; 40])),
        ip4(UDP, &udp(40001, 53, &[0; 40])),
        ip6(TCP, &tcp(40000, 80, ACK, &[0; 40])),
    ];
    let mut packets = Vec::new();
    for index in 0..16 {
        let length = 14 + usize::try_from(random.below(200)).unwrap_or(0);
        packets.push(named(&format!("random {index}"), random.bytes(length)));
    }
    for index in 0..24_usize {
        let mut bytes = templates[index % templates.len()].clone();
        // Past the addresses, or nothing would parse.
        let span = (bytes.len() - 14) as u64;
        for _ in 0..4 {
            let at = 14 + usize::try_from(random.below(span)).unwrap_or(0);
            bytes[at] = random.bytes(1)[0];
        }
        packets.push(named(&format!("changed {index}"), bytes));
    }
    packets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_the_same_every_time_and_are_named_once() {
        let (first, second) = (all(), all());
        assert!(first.iter().zip(&second).all(|(a, b)| a.bytes == b.bytes));
        let mut names: Vec<&str> = first.iter().map(|packet| packet.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), first.len());
    }

    #[test]
    fn ipv4_headers_sum_to_zero() {
        let packet = ip4(TCP, &tcp(1, 2, SYN, &[]));
        assert_eq!(checksum(&packet[14..34]), [0, 0]);
    }
}
