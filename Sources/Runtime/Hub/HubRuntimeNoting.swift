import Core
import Logging
import Protocol
import System
import Transport

/// One line in the log for each thing that matters to who looks after a hub: who came, was let in,
/// left, was put out. By number and address, never by name: whoever reads the hub's log is no
/// member of the group.
extension HubRuntime {
  /// What is known of whom a message is about, before it is heard.
  struct Standing {
    let publicID: PublicID?
    let admission: Admission?
  }

  /// Call before a message is heard.
  func standing(_ message: Message, of session: SessionID) -> Standing? {
    switch message {
    case .approveClient(let decision), .disApproveClient(let decision):
      Standing(publicID: decision.publicID, admission: hub.admission(of: decision.publicID))
    case .leave: Standing(publicID: hub.publicID(of: session), admission: nil)
    default: nil
    }
  }

  /// Call when a message was heard. `before`: what `standing` said.
  func note(_ message: Message, of session: SessionID, peer: String, before: Standing?) {
    let about = ["session": "\(session)", "peer": "\(peer)"] as Logger.Metadata
    switch message {
    case .masterAppRegister, .clientRegister:
      guard let publicID = hub.publicID(of: session) else { return }
      let admission = hub.admission(of: publicID)
      budget.log(
        .notice, "joins", "\(who(publicID)) joined: \(admission.map { "\($0)" } ?? "unknown")",
        metadata: about)
    case .approveClient, .disApproveClient:
      guard let publicID = before?.publicID, hub.publicID(of: session) == .master,
        let now = hub.admission(of: publicID), now != before?.admission
      else { return }
      budget.log(.notice, "decisions", "\(who(publicID)) was \(now) by the master")
    case .leave:
      guard let publicID = before?.publicID else { return }
      budget.log(.notice, "partings", "\(who(publicID)) left", metadata: about)
    default: break
    }
  }

  /// A control connection is about to be forgotten that has ended without LEAVE.
  func noteLoss(of session: SessionID) {
    guard let publicID = hub.publicID(of: session) else { return }
    budget.log(
      .notice, "partings", "\(who(publicID)) lost its connection",
      metadata: ["session": "\(session)"])
  }

  /// They did not come back.
  func noteGone(_ clients: [PublicID]) {
    for publicID in clients {
      budget.log(.notice, "partings", "\(who(publicID)) did not come back, and counts as gone")
    }
  }

  private func who(_ publicID: PublicID) -> String {
    publicID == .master ? "the master" : "client \(publicID)"
  }
}
