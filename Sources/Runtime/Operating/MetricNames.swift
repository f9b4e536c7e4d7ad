/// The names of all that is counted, and what each means: what `/metrics` shows, and the manual.
/// No label of them names a member, a file or an address.
package enum MetricNames {
  /// What stands behind `# HELP`.
  package static let help: [String: String] = common.merging(hub) { $1 }.merging(member) { $1 }
    .merging(master) { $1 }

  static let common = [
    "fsharefs_build_info": "The program and its version; always 1.",
    "fsharefs_healthy": "Whether /healthz answers 200.",
    "fsharefs_uptime_seconds": "Time since the program began.",
    "process_start_time_seconds": "When the process began, in seconds since 1970.",
    "process_resident_memory_bytes": "Memory of the process that is not swapped out.",
    "process_cpu_seconds_total": "Processor time of the process, in user and system mode.",
    "process_open_fds": "Open file descriptors of the process.",
  ]

  static let hub = [
    "fshare_hub_connections": "Connections, bulk streams among them.",
    "fshare_hub_strangers": "Connections that nobody has vouched for yet.",
    "fshare_hub_connections_opened_total": "Control connections that were opened.",
    "fshare_hub_refused_total": "Control connections that were refused.",
    "fshare_hub_messages_total": "Messages that came on control connections.",
    "fshare_hub_clients":
      "Clients by state: online, away and gone are approved ones; the master is not among them.",
    "fshare_hub_master_online": "Whether the master is connected.",
    "fshare_hub_relayed_bytes_total":
      "Bytes of sealed leaves: up from their owners, down to their readers.",
    "fshare_hub_leaves_kept": "Leaves at hand.",
    "fshare_hub_leaves_kept_bytes": "Bytes of leaves at hand.",
    "fshare_hub_leaves_asked": "Leaves that owners were asked for and have not given.",
    "fshare_hub_leaves_wanted": "Leaves that readers wait for and that nobody was asked for yet.",
    "fshare_hub_leaf_hits_total": "Leaves that readers got from those at hand.",
    "fshare_hub_leaf_misses_total": "Leaves that owners were asked for.",
    "fshare_hub_master_queue": "Messages of clients that wait until the master may hear them.",
    "fshare_hub_master_unanswered": "Messages of clients that the master has not answered.",
    "fshare_hub_registry_writable": "Whether the disk takes the registry.",
  ]

  static let member = [
    "fsharefs_mounted": "Whether the share is mounted.",
    "fsharefs_hub_connected": "Whether the connection to the hub is up.",
    "fsharefs_master_present": "Whether the hub says that the master is there.",
    "fsharefs_members_online": "Members that are online, this one among them.",
    "fsharefs_list_entries": "Entries of the whole list.",
    "fsharefs_own_entries": "Entries that this member shares.",
    "fsharefs_list_age_seconds":
      "How old the list may be at most: no change made before is missing.",
    "fsharefs_pending_changes": "Own changes that are not answered yet.",
    "fsharefs_changes_acked_total": "Own changes that the master took.",
    "fsharefs_changes_refused_total": "Own changes that the master refused.",
    "fsharefs_reads_total": "Reads of others' files that the kernel did not answer itself.",
    "fsharefs_read_bytes_total": "Bytes that those asked for.",
    "fsharefs_reads_waiting": "Reads that wait for leaves.",
    "fsharefs_leaf_hits_total": "Leaves that were in memory when a read came.",
    "fsharefs_leaf_misses_total": "Leaves that a read had to wait for.",
    "fsharefs_received_bytes_total": "Bytes of others' files that came from others.",
    "fsharefs_direct_bytes_total": "Of those, bytes that came by lines to their owners.",
    "fsharefs_recalled_bytes_total": "Bytes of others' files that came from the disk cache.",
    "fsharefs_sent_bytes_total": "Bytes of own files that went to others.",
    "fsharefs_uploads_queued": "Leaves of own files that wait to be sent.",
    "fsharefs_leaf_cache_bytes": "Bytes of leaves in memory.",
    "fsharefs_leaf_cache_limit_bytes": "Bytes of leaves that memory may hold.",
    "fsharefs_disk_cache_bytes": "Bytes in the disk cache.",
    "fsharefs_disk_cache_limit_bytes": "Bytes that the disk cache may hold.",
    "fsharefs_not_shared": "Names of the own folder that cannot be shared.",
    "fsharefs_folders_to_scan": "Own folders that are still to be looked into since the start.",
    "fsharefs_connections_lost_total": "Times that the hub was not reached or the line was lost.",
  ]

  static let master = [
    "fsharefs_master_registered": "Whether the hub takes this master's word.",
    "fsharefs_master_clients": "Clients that the master knows, by state; itself is not among them.",
    "fsharefs_master_changes_total": "Changes that the master took and gave a place in the order.",
    "fsharefs_master_answers_total": "Answers to single members: pages of the list and refusals.",
    "fsharefs_master_journal_writable": "Whether the disk takes the journal.",
  ]
}
