import Glibc
package import Protocol
package import System

extension Ending {
  /// A port that cannot be listened on: by whom it is used, and what there is to type. Blocks while
  /// that is found out.
  package init(listeningOn address: ListenAddress, failed error: SystemError) {
    guard error.code == EADDRINUSE else {
      self.init(.failure, "\(error)")
      return
    }
    let other =
      "give another one, as in --listen :\(address.port == .max ? 7420 : address.port + 1)"
    guard let owner = PortOwner.ofListener(on: address.port) else {
      self.init(
        .failure,
        "port \(address.port) is in use by another user's program: \(other), or see "
          + "which: sudo ss -ltnp sport = :\(address.port)")
      return
    }
    let isOurs = ["fsharefs", "fshare-hub"].contains(owner.name)
    self.init(
      .failure,
      "port \(address.port) is in use by \(owner.name) (process \(owner.process)): "
        + (isOurs ? "fsharectl status says what it does, or \(other)" : other))
  }
}
