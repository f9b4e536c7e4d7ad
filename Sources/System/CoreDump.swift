import Glibc

/// Keeps what is in this process's memory, its keys among it, out of what a crash leaves.
package enum CoreDump {
  /// Has the kernel write no core of this process, nor of those that it starts. Call first in
  /// `main`.
  ///
  /// The limit is 1 byte, not 0: where `core_pattern` names a program, a limit of 0 does not keep
  /// the kernel from handing it the memory, but one of 1 does (`do_coredump`), and no file is ever
  /// that short. PR_SET_DUMPABLE would do as well, but gives /proc/self to root, and own files are
  /// reached by /proc/self/fd.
  package static func forbid() {
    keepMemoryOutOfBacktraces()
    var limit = rlimit(rlim_cur: 1, rlim_max: 1)
    let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
    if setrlimit(resource, &limit) == 0 { return }
    // Only where the hard limit is 0 already is 1 too much.
    limit = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(resource, &limit)
  }

  /// Swift's runtime, where its backtracer is installed, shows at a crash what registers point at,
  /// which our log would keep; and the process is stopped meanwhile, or for ever. Only who asks for
  /// that gets it.
  private static func keepMemoryOutOfBacktraces() {
    guard Environment.get("SWIFT_BACKTRACE") == nil else { return }
    for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] {
      _ = signal(number, SIG_DFL)
    }
  }
}
