import Core
import DequeModule
import Glibc
package import Protocol
import Sealing
import System

/// One's own files through the mount: names, content and attributes as programs change them, new
/// files in staging until they are closed, and how the group learns of all that.
///
/// A change of names takes the name lock, changes the own folder and the namespace, and notes what
/// the group is to be told, in that order; the group is told behind it (`GroupPort.drain`).
package final class OwnFiles: OnOwnFolder, Sendable {
  struct Settings: Sendable {
    /// How long `close` waits for the group's answer.
    let ackTimeout: Duration
    /// Whether `close` returns without it.
    let closesAsync: Bool
    /// Whether it does where nobody can answer, or nobody has in time: the file is kept, and told
    /// of until somebody does.
    let keepsOffline: Bool
    /// What everything shows in place of its own owner, group and mode.
    let shown: ShownAttributes
    /// As of `Volume.Settings`.
    let saidPrivate: (@Sendable () -> Void)?
  }

  let settings: Settings
  let parts: OwnFolderParts
  let handles = Handles()
  let closing = Locked(ParkedCloses(), rank: .leaf)
  let closeCauses: CloseCauses
  /// What the master did not take and nobody has dealt with yet.
  let refusals = Locked(Deque<Refusal>(), rank: .leaf)
  /// What could not be moved into place.
  let asides = Locked<[AsideFile]>([], rank: .leaf)
  let growing = Locked(GrowingFiles(), rank: .leaf)
  /// Directories in which something lies that is not told of.
  let ignoredIn = Locked<Set<InodeNumber>>([], rank: .leaf)
  /// Whether that something is shared which its mode keeps from others here is still to be said.
  let owesPrivateNotice: Locked<Bool>
  let rests = Locked(RestTimes(), rank: .leaf)
  private let sent = Locked(SentLeaves(), rank: .leaf)
  private let publicID = Locked(PublicID.master, rank: .leaf)

  init(_ parts: OwnFolderParts, _ settings: Settings) throws(SystemError) {
    self.parts = parts
    self.settings = settings
    owesPrivateNotice = Locked(settings.saidPrivate != nil, rank: .leaf)
    closeCauses = try CloseCauses()
  }

  /// Who we are in the list; an own claim shows whatever the number is.
  var ownID: PublicID { publicID.withLock { $0 } }

  /// The hub gave this member its number.
  package func identified(_ publicID: PublicID) { self.publicID.withLock { $0 = publicID } }

  /// A leaf of an own file is sent.
  func noteSent(_ mark: LeafMark) { sent.withLock { $0.note(mark) } }

  /// All that was sent of a file's line of versions; nil where that is not known.
  func sentMarks(of entry: EntryID) -> [LeafMark]? { sent.withLock { $0.marks(of: entry) } }

  /// A new line begins, of which nothing was sent; or the entry is gone.
  func beginLine(of entry: EntryID) { sent.withLock { $0.begin(entry) } }

  /// Files that could not be moved into place.
  var setAside: Int { asides.withLock { $0.count } }

  /// The latest of them that belongs at a path.
  func aside(at path: SharePath) -> AsideFile? { asides.withLock { $0.last { $0.target == path } } }

  /// Time has passed.
  func tick() {
    announceGrowing()
    if let due = ignoring.nextDeadline, MonotonicClock.now >= due {
      disk.run { [self] in
        nameLock.withLock { held in refreshIgnored(held) }
        group.drain()
      }
    }
    restIdle()
  }

  /// When `tick` is due.
  var nextDeadline: Instant? {
    [growing.withLock { $0.nextDeadline }, ignoring.nextDeadline].compactMap { $0 }.min()
  }

  func stop() { closeCauses.stop() }
}
