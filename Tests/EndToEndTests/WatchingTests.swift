import CLinux
import Glibc
import System
import Testing

extension EndToEnd {
  /// What inotify tells of changes by other members.
  @Suite struct Watching {
    /// S67: who watches a file or folder hears that it is gone, and that it was replaced: its watch
    /// ends.
    @Test func aWatchOfWhatGoesHearsOfIt() throws {
      try withFixture { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.makeFolder(host.path("folder"))
        for name in ["removed", "replaced", "renamed"] { try Files.write(host.path(name), "1") }
        try guest.lists(4)
        for (name, change) in [
          ("removed", { try Files.unlink(host.path("removed")) }),
          ("replaced", { try Files.write(host.path("replaced"), "2") }),
          ("renamed", { try Files.rename(host.path("renamed"), host.path("other")) }),
          ("folder", { try Files.removeFolder(host.path("folder")) }),
        ] as [(String, () throws -> Void)] {
          let watch = try Watch(guest.path(name))
          try change()
          try eventually("the watch of \(name) hears of its end") {
            try watch.events().contains { $0 & UInt32(IN_DELETE_SELF) != 0 }
          }
        }
      }
    }

    /// S67: for the changes made on one's own mount everything arrives, as of any directory.
    @Test func aWatchOfOnesOwnChangesHearsOfAll() throws {
      try withFixture { fixture in
        let (host, _) = try fixture.host()
        let watch = try Watch(host.mount)
        try Files.write(host.path("file"), "1")
        try Files.rename(host.path("file"), host.path("other"))
        try Files.unlink(host.path("other"))
        var seen: UInt32 = 0
        let wanted = [IN_CREATE, IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_DELETE]
          .reduce(0) { $0 | UInt32($1) }
        try eventually("all has arrived") {
          seen = try watch.events().reduce(seen, |)
          return seen & wanted == wanted
        }
      }
    }
  }
}

/// A watch of one path, for every event.
private struct Watch {
  private let queue: OwnedDescriptor

  init(_ path: String) throws(SystemError) {
    queue = OwnedDescriptor(
      try retryingOnInterrupt("inotify_init1") { inotify_init1(Int32(O_NONBLOCK | O_CLOEXEC)) })
    let queue = queue.raw
    // All events (IN_ALL_EVENTS).
    try retryingOnInterrupt("watch \(path)") { inotify_add_watch(queue, path, 0xfff) }
  }

  /// The masks of the events that have come.
  func events() throws(SystemError) -> [UInt32] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = read(queue.raw, &bytes, bytes.count)
    if count < 0 {
      if errno == EAGAIN { return [] }
      throw SystemError("read of inotify")
    }
    var masks: [UInt32] = []
    var offset = 0
    while offset + 16 <= count {
      func field(_ place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + place + $1]) << UInt32(8 * $1) }
      }
      masks.append(field(4))
      offset += 16 + Int(field(12))
    }
    return masks
  }
}
