//! Program and attach types with the numbers of `enum bpf_prog_type` and `enum bpf_attach_type`
//! (`include/uapi/linux/bpf.h`) and the names that libbpf and bpftool give them.

macro_rules! kernel_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names are the kernel's own")]
        pub enum $name { $($variant),* }

        impl $name {
            /// Every one, in the order of the kernel's numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The name that libbpf and bpftool print.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

kernel_enum! {
    /// What kind of program the kernel is asked to load.
    ProgramType {
        SocketFilter = "socket_filter",
        Kprobe = "kprobe",
        SchedCls = "sched_cls",
        SchedAct = "sched_act",
        Tracepoint = "tracepoint",
        Xdp = "xdp",
        PerfEvent = "perf_event",
        CgroupSkb = "cgroup_skb",
        CgroupSock = "cgroup_sock",
        LwtIn = "lwt_in",
        LwtOut = "lwt_out",
        LwtXmit = "lwt_xmit",
        SockOps = "sock_ops",
        SkSkb = "sk_skb",
        CgroupDevice = "cgroup_device",
        SkMsg = "sk_msg",
        RawTracepoint = "raw_tracepoint",
        CgroupSockAddr = "cgroup_sock_addr",
        LwtSeg6local = "lwt_seg6local",
        LircMode2 = "lirc_mode2",
        SkReuseport = "sk_reuseport",
        FlowDissector = "flow_dissector",
        CgroupSysctl = "cgroup_sysctl",
        RawTracepointWritable = "raw_tracepoint_writable",
        CgroupSockopt = "cgroup_sockopt",
        Tracing = "tracing",
        StructOps = "struct_ops",
        Ext = "ext",
        Lsm = "lsm",
        SkLookup = "sk_lookup",
        Syscall = "syscall",
        Netfilter = "netfilter",
    }
}

kernel_enum! {
    /// Where a program attaches; some types are loaded differently for each place.
    AttachType {
        CgroupInetIngress = "cgroup_inet_ingress",
        CgroupInetEgress = "cgroup_inet_egress",
        CgroupInetSockCreate = "cgroup_inet_sock_create",
        CgroupSockOps = "cgroup_sock_ops",
        SkSkbStreamParser = "sk_skb_stream_parser",
        SkSkbStreamVerdict = "sk_skb_stream_verdict",
        CgroupDevice = "cgroup_device",
        SkMsgVerdict = "sk_msg_verdict",
        CgroupInet4Bind = "cgroup_inet4_bind",
        CgroupInet6Bind = "cgroup_inet6_bind",
        CgroupInet4Connect = "cgroup_inet4_connect",
        CgroupInet6Connect = "cgroup_inet6_connect",
        CgroupInet4PostBind = "cgroup_inet4_post_bind",
        CgroupInet6PostBind = "cgroup_inet6_post_bind",
        CgroupUdp4Sendmsg = "cgroup_udp4_sendmsg",
        CgroupUdp6Sendmsg = "cgroup_udp6_sendmsg",
        LircMode2 = "lirc_mode2",
        FlowDissector = "flow_dissector",
        CgroupSysctl = "cgroup_sysctl",
        CgroupUdp4Recvmsg = "cgroup_udp4_recvmsg",
        CgroupUdp6Recvmsg = "cgroup_udp6_recvmsg",
        CgroupGetsockopt = "cgroup_getsockopt",
        CgroupSetsockopt = "cgroup_setsockopt",
        TraceRawTp = "trace_raw_tp",
        TraceFentry = "trace_fentry",
        TraceFexit = "trace_fexit",
        ModifyReturn = "modify_return",
        LsmMac = "lsm_mac",
        TraceIter = "trace_iter",
        CgroupInet4Getpeername = "cgroup_inet4_getpeername",
        CgroupInet6Getpeername = "cgroup_inet6_getpeername",
        CgroupInet4Getsockname = "cgroup_inet4_getsockname",
        CgroupInet6Getsockname = "cgroup_inet6_getsockname",
        XdpDevmap = "xdp_devmap",
        CgroupInetSockRelease = "cgroup_inet_sock_release",
        XdpCpumap = "xdp_cpumap",
        SkLookup = "sk_lookup",
        Xdp = "xdp",
        SkSkbVerdict = "sk_skb_verdict",
        SkReuseportSelect = "sk_reuseport_select",
        SkReuseportSelectOrMigrate = "sk_reuseport_select_or_migrate",
        PerfEvent = "perf_event",
        TraceKprobeMulti = "trace_kprobe_multi",
        LsmCgroup = "lsm_cgroup",
        StructOps = "struct_ops",
        Netfilter = "netfilter",
        TcxIngress = "tcx_ingress",
        TcxEgress = "tcx_egress",
        TraceUprobeMulti = "trace_uprobe_multi",
        CgroupUnixConnect = "cgroup_unix_connect",
        CgroupUnixSendmsg = "cgroup_unix_sendmsg",
        CgroupUnixRecvmsg = "cgroup_unix_recvmsg",
        CgroupUnixGetpeername = "cgroup_unix_getpeername",
        CgroupUnixGetsockname = "cgroup_unix_getsockname",
        NetkitPrimary = "netkit_primary",
        NetkitPeer = "netkit_peer",
        TraceKprobeSession = "trace_kprobe_session",
        TraceUprobeSession = "trace_uprobe_session",
    }
}

impl ProgramType {
    /// The kernel's number; 0 means unspecified and no type has it.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32 + 1
    }

    /// The type with this name: the one that [`ProgramType::name`] gives, or a section name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<ProgramType> {
        ProgramType::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
            .or_else(|| ProgramType::from_section(name))
    }

    /// Whether the context is a `struct __sk_buff`.
    #[must_use]
    pub fn takes_skb(self) -> bool {
        matches!(
            self,
            ProgramType::SocketFilter
                | ProgramType::SchedCls
                | ProgramType::SchedAct
                | ProgramType::CgroupSkb
                | ProgramType::LwtIn
                | ProgramType::LwtOut
                | ProgramType::LwtXmit
                | ProgramType::LwtSeg6local
                | ProgramType::SkSkb
                | ProgramType::FlowDissector
        )
    }
}

impl AttachType {
    /// The kernel's number.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }
}
