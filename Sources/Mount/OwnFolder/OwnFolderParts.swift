import Logging
import System

/// What the rooms of own files stand on: the folder, where it shows, and who hears of it.
struct OwnFolderParts: Sendable {
  let namespace: Namespace
  /// One change of names at a time.
  let nameLock = NameLock()
  let folder: OwnFolder
  let index: OwnIndex
  let ignoring: IgnoreFile
  let watch: OwnWatch
  let group: any GroupPort
  let disk: DiskWork
  let rescans: RescanQueue
  let log: Logger
  /// The log of what others bring about.
  let budget: LogBudget
}

/// A room that stands on them.
protocol OnOwnFolder {
  var parts: OwnFolderParts { get }
}

extension OnOwnFolder {
  var namespace: Namespace { parts.namespace }
  var nameLock: NameLock { parts.nameLock }
  var folder: OwnFolder { parts.folder }
  var index: OwnIndex { parts.index }
  var ignoring: IgnoreFile { parts.ignoring }
  var watch: OwnWatch { parts.watch }
  var group: any GroupPort { parts.group }
  var disk: DiskWork { parts.disk }
  var rescans: RescanQueue { parts.rescans }
  var log: Logger { parts.log }
  var budget: LogBudget { parts.budget }
}
