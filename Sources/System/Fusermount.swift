import Glibc

/// fuse3's set-uid helper, for who may not call umount(2).
package enum Fusermount {
  /// Runs `fusermount3 -u`, with `-z` where `lazily`. Returns: whether it succeeded. Blocks.
  @discardableResult
  package static func unmount(_ mountpoint: String, lazily: Bool) -> Bool {
    let words = ["fusermount3", "-u"] + (lazily ? ["-z"] : []) + ["--", mountpoint]
    var arguments = words.map { strdup($0.cPath) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    // SAFETY: the argument strings live until the call has returned; the child has its own copy.
    guard posix_spawnp(&child, "fusermount3", nil, nil, &arguments, environ) == 0 else {
      return false
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }
}
