//! Packets from the command line: hexadecimal bytes, or all packets of a capture file; and packets into
//! a capture file.

use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

use crate::failure::Failure;
use crate::input;

/// Bytes of a capture file that are looked at together; a block must fit.
const BUFFER: usize = 1 << 20;
/// A packet of 64 zero bytes, for programs that are run without one.
const EMPTY: [u8; 64] = [0; 64];

/// All packets that the arguments name; one of 64 zero bytes when there is no argument.
///
/// # Errors
/// An argument is neither bytes nor a capture file that can be read.
pub fn read_all(arguments: &[String]) -> Result<Vec<Vec<u8>>, Failure> {
    if arguments.is_empty() {
        return Ok(vec![EMPTY.to_vec()]);
    }
    let mut packets = Vec::new();
    for argument in arguments {
        match unhex(argument) {
            Some(bytes) => packets.push(bytes),
            None => packets.extend(capture(argument)?),
        }
    }
    Ok(packets)
}

/// Bytes written as hexadecimal digits, with spaces wherever one likes.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_digit(16))
        .collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
        .collect()
}

fn capture(path: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = input::bytes(path)?;
    let refused = |what: String| Failure::refused(format!("{path}: {what}"));
    let mut reader = create_reader(BUFFER, bytes.as_slice())
        .map_err(|error| refused(format!("neither hexadecimal bytes nor a capture: {error}")))?;
    let mut packets = Vec::new();
    loop {
        let problem = match reader.next() {
            Ok((used, block)) => {
                packets.extend(data(&block));
                reader.consume(used);
                continue;
            }
            Err(PcapError::Eof) => return Ok(packets),
            Err(PcapError::Incomplete(_)) => None,
            Err(error) => Some(format!("the capture cannot be read: {error}")),
        };
        if let Some(problem) = problem {
            return Err(refused(problem));
        }
        if reader.reader_exhausted() {
            return Err(refused("the capture ends inside a block".to_owned()));
        }
        reader
            .refill()
            .map_err(|error| refused(error.to_string()))?;
    }
}

/// The bytes of a packet, if the block holds one. Captured length is what there is.
fn data(block: &PcapBlockOwned<'_>) -> Option<Vec<u8>> {
    let cut = |data: &[u8], length: u32| {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        data.get(..length.min(data.len())).map(<[u8]>::to_vec)
    };
    match block {
        PcapBlockOwned::Legacy(packet) => cut(packet.data, packet.caplen),
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => cut(packet.data, packet.caplen),
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => Some(packet.data.to_vec()),
        _ => None,
    }
}

/// Longest packet that a capture file of ours announces.
const LONGEST: u32 = 1 << 18;
/// Ethernet, as a capture file's kind of link.
const ETHERNET: u32 = 1;

/// A capture file with these packets, of no particular time.
#[must_use]
pub fn written(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    // Magic number, version 2.4, no time zone, no accuracy.
    for value in [0xa1b2_c3d4, 0x0004_0002, 0, 0, LONGEST, ETHERNET] {
        file.extend(u32::to_le_bytes(value));
    }
    for packet in packets {
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        for value in [0, 0, length, length] {
            file.extend(value.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::{read_all, unhex, written};

    #[test]
    fn what_is_written_reads_back() {
        let packets = vec![vec![1, 2, 3], Vec::new(), vec![4; 1500]];
        let name = format!("bpfmill-packets-{}.pcap", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, written(&packets)).unwrap();
        let read = read_all(&[path.to_string_lossy().into_owned()]).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read, packets);
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(unhex("01 fF\n"), Some(vec![1, 255]));
        assert_eq!(unhex("012"), None);
        assert_eq!(unhex("packet.pcap"), None);
        assert_eq!(unhex(""), Some(Vec::new()));
    }
}
