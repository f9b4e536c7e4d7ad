import CFuse
import CLinux
import Glibc
import Protocol
import System

/// What the kernel is told of a node: behind a name that it looked up, or of its attributes.
struct EntryReply {
  /// Seconds that the kernel may keep what it is told: changes are pushed to it.
  static let forever: Double = 365 * 24 * 3600
  let number: InodeNumber
  private let fileNumber: UInt64
  private let links: Int
  private let attributes: Attributes
  /// Bytes that it is best read and written by.
  private let blockSize: Int
  /// Whether the kernel may keep it, until it is told otherwise.
  private let isRemembered: Bool
  private let thing: ShownAttributes.Thing

  /// `fileNumber`: its `st_ino`; `links`: its `st_nlink`.
  init(
    number: InodeNumber, fileNumber: UInt64, links: Int, _ attributes: Attributes, blockSize: Int,
    isRemembered: Bool, _ thing: ShownAttributes.Thing
  ) {
    self.number = number
    self.fileNumber = fileNumber
    self.links = links
    self.attributes = attributes
    self.blockSize = blockSize
    self.isRemembered = isRemembered
    self.thing = thing
  }

  /// Seconds that the kernel may keep the attributes. Not at all where the file has another name:
  /// what is done by that the kernel takes to be done to another file.
  var attributesTimeout: Double { attributes.hasOtherNames ? 0 : Self.forever }

  func parameters(_ shown: ShownAttributes) -> fuse_entry_param {
    var parameters = fuse_entry_param()
    parameters.ino = number
    parameters.generation = 1
    parameters.attr = stat(shown)
    parameters.attr_timeout = attributesTimeout
    parameters.entry_timeout = isRemembered ? Self.forever : 0
    return parameters
  }
}

/// What the kernel is told of a file or directory that it opened.
struct OpenReply {
  let handle: UInt64
  var keepsCache = false
  var cachesListing = false

  var info: fuse_file_info {
    var info = fuse_file_info()
    info.fh = handle
    info.keep_cache = keepsCache ? 1 : 0
    info.cache_readdir = cachesListing ? 1 : 0
    return info
  }
}

extension EntryReply {
  /// As the kernel wants it.
  func stat(_ shown: ShownAttributes) -> Glibc.stat {
    var stat = Glibc.stat()
    let kind = attributes.kind
    stat.st_ino = UInt(fileNumber)
    stat.st_mode = attributes.format | (kind == .symlink ? 0o777 : attributes.mode)
    stat.st_rdev = dev_t(attributes.device)
    stat.st_nlink = UInt(links)
    stat.st_uid = attributes.user
    stat.st_gid = attributes.group
    stat.st_size = Int(attributes.size)
    stat.st_blksize = blockSize
    stat.st_blocks = Int(attributes.blocks)
    stat.st_mtim = attributes.modified.timespec
    stat.st_ctim = attributes.changed.timespec
    stat.st_atim = attributes.accessed.timespec
    return shown.applied(to: stat, thing)
  }
}
