package import Protocol

/// How much waits where on behalf of whom: what must stay within its limits, whatever members say.

extension Forwarding {
  /// What of one client waits for the master, or for its answer.
  package struct Load: Sendable {
    package let waiting: Int
    package let waitingBytes: Int
    package let unanswered: Int
    package let unansweredQuestions: Int
    /// As it is counted, and as it is.
    package let unansweredBytes: (counted: Int, held: Int)
    package let names: Int
  }
}

extension Hub {
  /// What of each client waits for the master, or for its answer.
  package var forwardingLoads: [PublicID: Forwarding.Load] { forwarding.loads }

  /// Bytes of all that the master has not answered, as they are counted.
  package var unansweredBytes: Int { forwarding.unansweredOfAll }

  /// What each session has asked for: leaves that wait, bytes on their way, and how many of them
  /// each owner's connection has not given.
  package var relayLoads: [SessionID: (wanted: Int, inFlight: Int, owed: [SessionID: Int])] {
    relay.askers.mapValues { ($0.wanted.count, $0.inFlight, $0.owed) }
  }

  /// Leaves that owners were asked for, and have not given.
  package var leavesOnTheirWay: [PublicID: Int] {
    relay.flights.keys.reduce(into: [:]) { $0[$1.owner, default: 0] += 1 }
  }

  /// Connections that are known, those that have not said who they are among them.
  package var sessionCount: Int { sessions.count }
}

extension Master {
  /// Answers and refusals that are kept for each member.
  package var ledgerLoads: [PublicID: Int] { ledger.loads }
}
