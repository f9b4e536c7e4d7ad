import Glibc
package import State
import System

/// The claim code in the hub's state folder.
extension ClaimCode {
  private static func path(in folder: String) -> String {
    folder + "/" + StateKind.claimCode.rawValue
  }

  /// The code of a hub without a master; made, for its owner's eyes only, where there is none yet.
  /// Throws: an ending with code 73.
  static func loadOrMake(in folder: String) throws(Ending) -> ClaimCode {
    try Ending.rethrowing { () throws(StateFault) in try Privacy.check(ifThere: path(in: folder)) }
    if let kept = try load(folder) { return kept }
    let made = ClaimCode()
    do throws(SystemError) {
      try File.writeAtomically(path(in: folder), Array("\(made)\n".utf8), mode: 0o600)
    } catch { throw Ending(StateFault(error)) }
    return made
  }

  /// The hub has a master: the code is good for nothing any more. One that is not there is fine.
  static func discard(in folder: String) throws(SystemError) {
    let path = path(in: folder)
    guard unlink(path.cPath) != 0, errno != ENOENT else { return }
    throw SystemError("remove \(path)")
  }

  /// What `fshare-hub claim-code` shows; the hub may run meanwhile. Throws: an ending with code 1
  /// where the hub has a master, 73 where there is no hub in that folder.
  package static func show(in folder: String) throws(Ending) -> ClaimCode {
    let known = try Ending.rethrowing { () throws(StateFault) in
      try HubRegistry.read(HubRegistry.path(in: folder))
    }
    guard let known else {
      throw Ending(.folder, "no hub was started with the state folder \(folder)")
    }
    if known.master != nil { throw Ending(.failure, "the hub has a master already") }
    guard let code = try load(folder) else {
      throw Ending(.folder, "there is no claim code in \(folder): start the hub again")
    }
    return code
  }

  private static func load(_ folder: String) throws(Ending) -> ClaimCode? {
    try Ending.rethrowing { () throws(StateFault) in try read(path(in: folder)) }
  }
}
