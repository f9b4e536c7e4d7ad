import System

/// What the kernel is told of the mount when it is made, and what everything in it shows.
package struct KernelMount: Sendable {
  /// Which users of this machine may use it.
  package enum Access: Sendable {
    /// Who mounted it.
    case mounter
    /// Who mounted it, and root.
    case root
    /// All, as owners and modes have it.
    case everyone
  }

  /// What `df` and `mount` show as the source.
  package var source = ""
  package var access = Access.mounter
  /// Options that libfuse hands on to the kernel, such as `ro`.
  package var flags: [String] = []
  /// Whether it is taken away as soon as this process is gone, however that ended.
  package var unmountsItself = false
  package var shown = ShownAttributes()

  package init() {}

  /// As libfuse reads them, behind `-o`. What members share is no program to be run as somebody
  /// else, and no device.
  var options: String {
    var words = [
      "fsname=\(source)", "subtype=fsharefs", "nosuid", "nodev", "default_permissions",
    ]
    words += flags
    switch access {
    case .mounter: break
    case .root: words.append("allow_root")
    case .everyone: words.append("allow_other")
    }
    if unmountsItself { words.append("auto_unmount") }
    return OptionWords.joined(words)
  }
}
