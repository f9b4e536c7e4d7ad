import Glibc
import Logging
import Mount
import State
import System

/// Opens the disk cache at the start: what lies there is others' files, so the folder is one's own
/// alone.
enum CacheStart {
  /// The cache in a folder, which is made (0700) if it is missing. `size`: bytes. Throws: an ending
  /// with code 73 that says what is wrong.
  static func open(
    _ path: String, size: Int, ownFolder: String, _ state: StateFolder, _ log: Logger
  ) throws(Ending) -> DiskCache {
    do throws(SystemError) { try File.makeDirectories(path, mode: 0o700) } catch {
      throw Ending(.folder, "cache folder \(path): \(error)")
    }
    try Ending.rethrowing { () throws(StateFault) in try Privacy.check(folder: path) }
    let own = File.resolved(ownFolder) ?? ownFolder
    let cache = File.resolved(path) ?? path
    if Mountpoint.isSameOrBelow(cache, own) || Mountpoint.isSameOrBelow(own, cache) {
      throw Ending(
        .folder,
        "the cache folder \(path) and the own folder \(ownFolder) may not contain each other: choose another one"
      )
    }
    if Mountpoint.isSameOrBelow(File.resolved(state.path) ?? state.path, cache) {
      throw Ending(
        .folder, "the cache folder \(path) may not contain the state folder: choose another one")
    }
    let secret = try state.cacheSecret()
    do throws(SystemError) {
      return try DiskCache(path: path, limit: size, secret: secret, log: log)
    } catch {
      throw Ending(
        .folder,
        error.code == EWOULDBLOCK
          ? "the cache folder \(path) is in use by another fsharefs: give this one a --cache of its own"
          : "cache folder \(path): \(error)")
    }
  }
}
