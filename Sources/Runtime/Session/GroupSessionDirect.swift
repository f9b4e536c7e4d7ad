import Core
import Protocol
import Sealing
import System

/// What the lines to other members need of the session.
extension GroupSession: DirectLinesHost {
  var ownID: PublicID? { state.withLock { $0.member.publicID } }

  var hubRoute: String? { state.withLock { $0.hubRoute } }

  func approvedKey(_ publicID: PublicID) -> [UInt8]? {
    state.withLock { state in
      if publicID == .master { return provenMasterKey(state)?.signing }
      guard let member = state.member.replica.members[publicID], member.admission == .approved
      else { return nil }
      return member.key?.signing
    }
  }

  func approvedMember(_ signingKey: [UInt8]) -> PublicID? {
    state.withLock { state in
      if let master = provenMasterKey(state), master.signing == signingKey, !isMaster {
        return .master
      }
      return state.member.replica.members.values.first {
        $0.admission == .approved && $0.key?.signing == signingKey
      }?.publicID
    }
  }

  /// The hub has opened the bulk streams: this member is in.
  func beginDirect() {
    let passesAddresses = state.withLock { $0.hubFeatures & Hello.passesAddresses != 0 }
    if passesAddresses { direct.turnOn() }
  }
}
