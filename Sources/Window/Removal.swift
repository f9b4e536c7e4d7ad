import Glibc
import System
import Transport

/// Takes back what lies at a place, as `rm -r` would.
struct Removal {
  private let share: ShareFolder
  private(set) var count = 0
  private var failure: SystemError?

  /// Blocks.
  static func answer(_ place: PlaceInShare, in share: ShareFolder) -> WebResponse {
    guard !place.bytes.isEmpty else {
      return Answers.refusal(400, "the share itself is not taken back")
    }
    var removal = Removal(share: share)
    do throws(SystemError) {
      let (folder, name) = try share.parent(of: place)
      _ = try Stat(at: folder.raw, name: name)
      removal.remove(name, in: folder)
    } catch { return Answers.refusal(error, place) }
    if let failure = removal.failure { return Answers.refusal(failure, place) }
    return Answers.json(["removed": removal.count])
  }

  private init(share: ShareFolder) { self.share = share }

  private mutating func remove(_ name: [UInt8], in folder: OwnedDescriptor) {
    let path = name.map { CChar(bitPattern: $0) } + [0]
    guard let found = try? Stat(at: folder.raw, name: name) else { return }
    if found.isDirectory {
      let raw = openat(folder.raw, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      if raw >= 0 {
        let below = OwnedDescriptor(raw)
        for item in (try? FolderItems.of(below)) ?? [] { remove(item.name, in: below) }
      }
    }
    if unlinkat(folder.raw, path, found.isDirectory ? AT_REMOVEDIR : 0) == 0 {
      count += 1
    } else {
      failure = failure ?? SystemError("remove")
    }
  }
}
