import Protocol
import System

/// What `stat` says of a node.
struct Attributes: Equatable, Sendable {
  var kind: EntryKind
  /// The kind's bits of `st_mode`, of what is neither file, directory nor symlink; 0 for all else.
  var special: UInt32 = 0
  /// Which device it stands for; 0 for what is none.
  var device: UInt64 = 0
  /// Permission bits.
  var mode: UInt32
  /// Whom it belongs to on this machine; others' entries, to whoever mounted.
  var user = Caller.process.user
  var group = Caller.process.group
  var size: UInt64
  var modified: FileTime
  var changed: FileTime
  var accessed: FileTime
  /// Blocks of 512 bytes.
  var blocks: UInt64
  /// The file of one's own that it is of; nil for all else.
  var file: FileIdentity?
  /// Whether the file of one's own has more names than this one, made past the mount.
  var hasOtherNames = false

  /// Of somebody else's entry: its permission bits arrive as they are, so that a copy has them too;
  /// that nobody but the owner may write is decided at open. Of a directory the sticky bit too, as
  /// of a folder that all fill.
  init(foreign entry: Entry) {
    kind = entry.kind
    mode = UInt32(entry.mode) & (entry.kind == .directory ? 0o1777 : 0o777)
    if entry.kind == .directory { mode |= 0o500 }
    size = entry.kind == .symlink ? UInt64(entry.target.count) : entry.size
    modified = entry.modified
    changed = entry.modified
    accessed = entry.modified
    blocks = (size + 511) / 512
  }

  /// Of what lies in the own folder. `implied`: see `OwnState.impliedMode`.
  init(_ stat: Stat, implied: UInt32? = nil) {
    kind = stat.isDirectory ? .directory : stat.isSymlink ? .symlink : .file
    if kind == .file, !stat.isRegular {
      special = stat.format
      device = stat.rdev
    }
    mode = implied ?? stat.permissions
    user = stat.uid
    group = stat.gid
    size = stat.isDirectory ? 0 : UInt64(max(0, stat.size))
    modified = stat.modified
    changed = stat.changed
    accessed = stat.accessed
    blocks = UInt64(max(0, stat.blocks))
    file = FileIdentity(device: stat.dev, inode: stat.ino)
    hasOtherNames = stat.isRegular && stat.nlink > 1
  }

  /// Of the top of the share: whose the own folder is, and who may fill it.
  init(top stat: Stat, now: FileTime) {
    self.init(implicitDirectorySince: now)
    take(top: stat)
  }

  /// Takes over what the own folder is like now, but for its times: others change what is in the
  /// top as well.
  mutating func take(top stat: Stat) {
    mode = stat.permissions
    user = stat.uid
    group = stat.gid
  }

  /// The kind's bits of `st_mode`.
  var format: UInt32 { special != 0 ? special : kind.format }

  /// Whether `other`, of the same file, says that its content was changed.
  func isOtherContent(_ other: Attributes) -> Bool {
    size != other.size || modified != other.modified
  }

  /// Of a directory that exists because something lies in it.
  init(implicitDirectorySince time: FileTime) {
    kind = .directory
    mode = 0o755
    size = 0
    modified = time
    changed = time
    accessed = time
    blocks = 0
  }

  /// A directory's time of change where something in it has changed: always another one than
  /// before, so that who compares times sees it; the time of day, unless that is what it had.
  mutating func moveTime(to now: FileTime) {
    // Of what lies ahead of the clock by more than a moment somebody else's clock, or a person, was
    // the reason.
    let isAhead = modified.elapsed(since: now) > .seconds(1)
    modified = isAhead ? now : max(now, modified.next)
    changed = modified
  }
}
