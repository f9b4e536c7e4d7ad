import Core
import Glibc
import Mount
import Protocol
import State
import System
import Transport

/// What of a member is counted, and what it takes to be well.
struct MemberFigures: Sendable {
  /// What of a master.
  struct OfMaster: Sendable {
    var isRegistered: Bool
    /// Why nobody is told of changes; nil where all is well.
    var journalTrouble: String?
    var clients: [Admission: Int]
  }

  var phase: MemberPhase
  var isConnected: Bool
  var masterIsPresent: Bool
  var membersOnline: Int
  var entries: Int
  var ownEntries: Int
  /// Seconds.
  var listAge: Int?
  var pendingChanges: Int
  var answered: ChangeCounts
  var reads = ReadCounts()
  var sentBytes: UInt64 = 0
  var readsWaiting = 0
  var uploadsQueued = 0
  var cached = 0
  var cacheLimit = 0
  var diskCached: Int?
  var diskCacheLimit: Int?
  var notShared = 0
  var foldersToScan: Int?
  var master: OfMaster?
}

extension GroupSession {
  /// What there is to count now. Any thread. Takes the locks that all that goes on takes, so where
  /// one of them is not given back this does not return. Complexity: O(members).
  var figures: MemberFigures {
    let now = MonotonicClock.now
    var figures = state.withLock { state in
      let member = state.member
      var figures = MemberFigures(
        phase: member.phase, isConnected: state.isConnected,
        masterIsPresent: member.masterIsPresent,
        membersOnline: member.presences.count {
          $0.value == .online && $0.key != member.publicID
        } + 1,
        entries: member.replica.list.count, ownEntries: member.ownCount,
        listAge: member.listAge(now: now).map { Int($0.components.seconds) },
        pendingChanges: member.pendingChanges, answered: member.answered)
      if let master = state.master {
        var clients: [Admission: Int] = [:]
        for (publicID, client) in master.clients where publicID != .master {
          clients[client.admission, default: 0] += 1
        }
        figures.master = MemberFigures.OfMaster(
          isRegistered: state.isMasterRegistered, journalTrouble: state.backlog.trouble,
          clients: clients)
      }
      return figures
    }
    let reads = volume.reading.figures
    (figures.cached, figures.cacheLimit, figures.readsWaiting) = reads
    figures.reads = volume.reading.counts
    figures.sentBytes = volume.serving.sentBytes
    figures.uploadsQueued = volume.serving.queuedLeaves
    if let disk = volume.reading.diskCacheFigures {
      (figures.diskCached, figures.diskCacheLimit) = (disk.bytes, disk.limit)
    }
    figures.notShared = volume.unsharedFigures.occupied
    figures.foldersToScan = volume.folderSync.foldersToScan
    return figures
  }

  /// Why it is not well; nil where it is: connected, in, and, for a master, able to keep what it
  /// decides. Any thread; a master asks its disk.
  package var trouble: String? {
    let figures = figures
    if let master = figures.master {
      if let trouble = master.journalTrouble { return "journal: \(trouble)" }
      if let path = journalPath, access(path.cPath, W_OK) != 0 {
        return "journal: \(SystemError(path))"
      }
      return master.isRegistered ? nil : "the master is not connected to the hub"
    }
    return switch figures.phase {
    case .live: figures.isConnected ? nil : "not connected to the hub"
    case .disconnected: "not connected to the hub"
    case .registering: "connecting to the hub"
    case .waiting: "waiting for approval"
    case .synchronising: "taking the list"
    case .disapproved: "the master has disapproved this device"
    }
  }

  /// What the link's service thread must answer, or it hangs.
  package var pulse: LoopPulse {
    LoopPulse(name: "the service loop of the connection") { [weak self] answer in
      self?.link?.perform(answer)
    }
  }

  /// Takes and gives back the locks of session, namespace and reading: returns where all of them
  /// are given back again and again.
  package func look() { _ = figures }

  /// Brings the meters up to date. Any thread.
  package func measure(isMounted: Bool) {
    let figures = figures
    meters.show(figures, isMounted: isMounted)
    if let master = figures.master { masterMeters?.show(master) }
  }
}
