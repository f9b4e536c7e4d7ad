import Core
import CoreMetrics
import Protocol

/// What a member counts; a master beside that what it decides.
final class MemberMeters: Sendable {
  let lost = Counter(label: "fsharefs_connections_lost_total")
  private let mounted = Meter(label: "fsharefs_mounted")
  private let levels: [(Meter, @Sendable (MemberFigures) -> Int?)] = [
    (Meter(label: "fsharefs_hub_connected"), { $0.isConnected ? 1 : 0 }),
    (Meter(label: "fsharefs_master_present"), { $0.masterIsPresent ? 1 : 0 }),
    (Meter(label: "fsharefs_members_online"), { $0.membersOnline }),
    (Meter(label: "fsharefs_list_entries"), { $0.entries }),
    (Meter(label: "fsharefs_own_entries"), { $0.ownEntries }),
    (Meter(label: "fsharefs_list_age_seconds"), { $0.listAge }),
    (Meter(label: "fsharefs_pending_changes"), { $0.pendingChanges }),
    (Meter(label: "fsharefs_reads_waiting"), { $0.readsWaiting }),
    (Meter(label: "fsharefs_uploads_queued"), { $0.uploadsQueued }),
    (Meter(label: "fsharefs_leaf_cache_bytes"), { $0.cached }),
    (Meter(label: "fsharefs_leaf_cache_limit_bytes"), { $0.cacheLimit }),
    (Meter(label: "fsharefs_disk_cache_bytes"), { $0.diskCached ?? 0 }),
    (Meter(label: "fsharefs_disk_cache_limit_bytes"), { $0.diskCacheLimit ?? 0 }),
    (Meter(label: "fsharefs_not_shared"), { $0.notShared }),
    (Meter(label: "fsharefs_folders_to_scan"), { $0.foldersToScan ?? 0 }),
  ]
  private let totals: [(Follower, @Sendable (MemberFigures) -> UInt64)] = [
    (Follower("fsharefs_changes_acked_total"), { $0.answered.taken }),
    (Follower("fsharefs_changes_refused_total"), { $0.answered.refused }),
    (Follower("fsharefs_reads_total"), { $0.reads.reads }),
    (Follower("fsharefs_read_bytes_total"), { $0.reads.bytes }),
    (Follower("fsharefs_leaf_hits_total"), { $0.reads.hits }),
    (Follower("fsharefs_leaf_misses_total"), { $0.reads.misses }),
    (Follower("fsharefs_received_bytes_total"), { $0.reads.received }),
    (Follower("fsharefs_direct_bytes_total"), { $0.reads.direct }),
    (Follower("fsharefs_recalled_bytes_total"), { $0.reads.recalled }),
    (Follower("fsharefs_sent_bytes_total"), { $0.sentBytes }),
  ]

  /// Brings them up to date.
  func show(_ figures: MemberFigures, isMounted: Bool) {
    mounted.set(isMounted ? 1 : 0)
    for (meter, value) in levels {
      if let value = value(figures) { meter.set(value) }
    }
    for (total, value) in totals { total.reach(value(figures)) }
  }
}

/// What a master counts.
final class MasterMeters: Sendable {
  let changes = Counter(label: "fsharefs_master_changes_total")
  let answers = Counter(label: "fsharefs_master_answers_total")
  private let registered = Meter(label: "fsharefs_master_registered")
  private let writable = Meter(label: "fsharefs_master_journal_writable")
  private let clients: [(Admission, Meter)] = [
    Admission.approved, .waiting, .disapproved,
  ].map {
    ($0, Meter(label: "fsharefs_master_clients", dimensions: [("state", "\($0)")]))
  }

  /// Brings them up to date.
  func show(_ figures: MemberFigures.OfMaster) {
    registered.set(figures.isRegistered ? 1 : 0)
    writable.set(figures.journalTrouble == nil ? 1 : 0)
    for (admission, meter) in clients { meter.set(figures.clients[admission] ?? 0) }
  }
}
