//! libbpf's section table (`section_defs` in `tools/lib/bpf/libbpf.c`, 1.5 with the later
//! `uprobe.session`), in its order: the first row that matches counts.

use super::AttachType as At;
use super::ProgramType::*;
use super::SectionRule;

const fn rule(name: &'static str, program_type: super::ProgramType) -> SectionRule {
    SectionRule {
        name,
        program_type,
        attach_type: None,
        sleepable: false,
        frags: false,
    }
}

const fn at(name: &'static str, program_type: super::ProgramType, attach: At) -> SectionRule {
    SectionRule {
        attach_type: Some(attach),
        ..rule(name, program_type)
    }
}

const fn sleepable(rule: SectionRule) -> SectionRule {
    SectionRule {
        sleepable: true,
        ..rule
    }
}

const fn frags(rule: SectionRule) -> SectionRule {
    SectionRule {
        frags: true,
        ..rule
    }
}

/// A trailing `+` in a name: the name alone, or followed by `/` and what to attach to.
#[rustfmt::skip]
pub(super) static SECTIONS: &[SectionRule] = &[
    rule("socket", SocketFilter),
    at("sk_reuseport/migrate", SkReuseport, At::SkReuseportSelectOrMigrate),
    at("sk_reuseport", SkReuseport, At::SkReuseportSelect),
    rule("kprobe+", Kprobe),
    rule("uprobe+", Kprobe),
    sleepable(rule("uprobe.s+", Kprobe)),
    rule("kretprobe+", Kprobe),
    rule("uretprobe+", Kprobe),
    sleepable(rule("uretprobe.s+", Kprobe)),
    at("kprobe.multi+", Kprobe, At::TraceKprobeMulti),
    at("kretprobe.multi+", Kprobe, At::TraceKprobeMulti),
    at("kprobe.session+", Kprobe, At::TraceKprobeSession),
    at("uprobe.multi+", Kprobe, At::TraceUprobeMulti),
    at("uretprobe.multi+", Kprobe, At::TraceUprobeMulti),
    at("uprobe.session+", Kprobe, At::TraceUprobeSession),
    sleepable(at("uprobe.multi.s+", Kprobe, At::TraceUprobeMulti)),
    sleepable(at("uretprobe.multi.s+", Kprobe, At::TraceUprobeMulti)),
    sleepable(at("uprobe.session.s+", Kprobe, At::TraceUprobeSession)),
    rule("ksyscall+", Kprobe),
    rule("kretsyscall+", Kprobe),
    rule("usdt+", Kprobe),
    sleepable(rule("usdt.s+", Kprobe)),
    at("tc/ingress", SchedCls, At::TcxIngress),
    at("tc/egress", SchedCls, At::TcxEgress),
    at("tcx/ingress", SchedCls, At::TcxIngress),
    at("tcx/egress", SchedCls, At::TcxEgress),
    rule("tc", SchedCls),
    rule("classifier", SchedCls),
    rule("action", SchedAct),
    at("netkit/primary", SchedCls, At::NetkitPrimary),
    at("netkit/peer", SchedCls, At::NetkitPeer),
    rule("tracepoint+", Tracepoint),
    rule("tp+", Tracepoint),
    rule("raw_tracepoint+", RawTracepoint),
    rule("raw_tp+", RawTracepoint),
    rule("raw_tracepoint.w+", RawTracepointWritable),
    rule("raw_tp.w+", RawTracepointWritable),
    at("tp_btf+", Tracing, At::TraceRawTp),
    at("fentry+", Tracing, At::TraceFentry),
    at("fmod_ret+", Tracing, At::ModifyReturn),
    at("fexit+", Tracing, At::TraceFexit),
    sleepable(at("fentry.s+", Tracing, At::TraceFentry)),
    sleepable(at("fmod_ret.s+", Tracing, At::ModifyReturn)),
    sleepable(at("fexit.s+", Tracing, At::TraceFexit)),
    rule("freplace+", Ext),
    at("lsm+", Lsm, At::LsmMac),
    sleepable(at("lsm.s+", Lsm, At::LsmMac)),
    at("lsm_cgroup+", Lsm, At::LsmCgroup),
    at("iter+", Tracing, At::TraceIter),
    sleepable(at("iter.s+", Tracing, At::TraceIter)),
    sleepable(rule("syscall", Syscall)),
    frags(at("xdp.frags/devmap", Xdp, At::XdpDevmap)),
    at("xdp/devmap", Xdp, At::XdpDevmap),
    frags(at("xdp.frags/cpumap", Xdp, At::XdpCpumap)),
    at("xdp/cpumap", Xdp, At::XdpCpumap),
    frags(at("xdp.frags", Xdp, At::Xdp)),
    at("xdp", Xdp, At::Xdp),
    rule("perf_event", PerfEvent),
    rule("lwt_in", LwtIn),
    rule("lwt_out", LwtOut),
    rule("lwt_xmit", LwtXmit),
    rule("lwt_seg6local", LwtSeg6local),
    at("sockops", SockOps, At::CgroupSockOps),
    at("sk_skb/stream_parser", SkSkb, At::SkSkbStreamParser),
    at("sk_skb/stream_verdict", SkSkb, At::SkSkbStreamVerdict),
    at("sk_skb/verdict", SkSkb, At::SkSkbVerdict),
    rule("sk_skb", SkSkb),
    at("sk_msg", SkMsg, At::SkMsgVerdict),
    at("lirc_mode2", LircMode2, At::LircMode2),
    at("flow_dissector", FlowDissector, At::FlowDissector),
    at("cgroup_skb/ingress", CgroupSkb, At::CgroupInetIngress),
    at("cgroup_skb/egress", CgroupSkb, At::CgroupInetEgress),
    rule("cgroup/skb", CgroupSkb),
    at("cgroup/sock_create", CgroupSock, At::CgroupInetSockCreate),
    at("cgroup/sock_release", CgroupSock, At::CgroupInetSockRelease),
    at("cgroup/sock", CgroupSock, At::CgroupInetSockCreate),
    at("cgroup/post_bind4", CgroupSock, At::CgroupInet4PostBind),
    at("cgroup/post_bind6", CgroupSock, At::CgroupInet6PostBind),
    at("cgroup/bind4", CgroupSockAddr, At::CgroupInet4Bind),
    at("cgroup/bind6", CgroupSockAddr, At::CgroupInet6Bind),
    at("cgroup/connect4", CgroupSockAddr, At::CgroupInet4Connect),
    at("cgroup/connect6", CgroupSockAddr, At::CgroupInet6Connect),
    at("cgroup/connect_unix", CgroupSockAddr, At::CgroupUnixConnect),
    at("cgroup/sendmsg4", CgroupSockAddr, At::CgroupUdp4Sendmsg),
    at("cgroup/sendmsg6", CgroupSockAddr, At::CgroupUdp6Sendmsg),
    at("cgroup/sendmsg_unix", CgroupSockAddr, At::CgroupUnixSendmsg),
    at("cgroup/recvmsg4", CgroupSockAddr, At::CgroupUdp4Recvmsg),
    at("cgroup/recvmsg6", CgroupSockAddr, At::CgroupUdp6Recvmsg),
    at("cgroup/recvmsg_unix", CgroupSockAddr, At::CgroupUnixRecvmsg),
    at("cgroup/getpeername4", CgroupSockAddr, At::CgroupInet4Getpeername),
    at("cgroup/getpeername6", CgroupSockAddr, At::CgroupInet6Getpeername),
    at("cgroup/getpeername_unix", CgroupSockAddr, At::CgroupUnixGetpeername),
    at("cgroup/getsockname4", CgroupSockAddr, At::CgroupInet4Getsockname),
    at("cgroup/getsockname6", CgroupSockAddr, At::CgroupInet6Getsockname),
    at("cgroup/getsockname_unix", CgroupSockAddr, At::CgroupUnixGetsockname),
    at("cgroup/sysctl", CgroupSysctl, At::CgroupSysctl),
    at("cgroup/getsockopt", CgroupSockopt, At::CgroupGetsockopt),
    at("cgroup/setsockopt", CgroupSockopt, At::CgroupSetsockopt),
    at("cgroup/dev", CgroupDevice, At::CgroupDevice),
    rule("struct_ops+", StructOps),
    sleepable(rule("struct_ops.s+", StructOps)),
    at("sk_lookup", SkLookup, At::SkLookup),
    at("netfilter", Netfilter, At::Netfilter),
];
