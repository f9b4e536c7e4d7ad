/// How much a history did.
package struct Statistics: Sendable {
  package var events = 0
  package var changes = 0
  package var reads = 0
  package var verifiedReads = 0
  package var failedReads = 0
  package var refusals = 0
  package var waits = 0
  package var acks = 0
  package var links = 0
  package var masterRestarts = 0
  package var keptLists = 0
  package var hubRestarts = 0
  /// Disks of masters that went back to yesterday, registries that were lost, and masters that
  /// noticed.
  package var setBacks = 0
  package var lostRegistries = 0
  package var noticed = 0
  package var virtualSeconds: Int64 = 0
  /// What liars said, which of it the master heard, and how often the hub ended one's connection.
  package var lies = 0
  package var liesHeard = 0
  package var liarsRefused = 0
  /// What a hub made up, left out, repeated or held back of the list, and how often a member found
  /// that out.
  package var hubLies = 0
  package var falseLists = 0
  /// Requests of honest members that had to be answered while liars went on.
  package var probes = 0
  /// What went by lines.
  package var lines = LineStatistics()
  package init() {}

  package static func += (sum: inout Statistics, other: Statistics) {
    sum.events += other.events
    sum.changes += other.changes
    sum.reads += other.reads
    sum.verifiedReads += other.verifiedReads
    sum.failedReads += other.failedReads
    sum.refusals += other.refusals
    sum.waits += other.waits
    sum.acks += other.acks
    sum.links += other.links
    sum.masterRestarts += other.masterRestarts
    sum.keptLists += other.keptLists
    sum.hubRestarts += other.hubRestarts
    sum.setBacks += other.setBacks
    sum.lostRegistries += other.lostRegistries
    sum.noticed += other.noticed
    sum.virtualSeconds += other.virtualSeconds
    sum.lies += other.lies
    sum.liesHeard += other.liesHeard
    sum.liarsRefused += other.liarsRefused
    sum.probes += other.probes
    sum.hubLies += other.hubLies
    sum.falseLists += other.falseLists
    sum.lines += other.lines
  }
}
