import Core
import Protocol

/// What must hold at every moment, and what must hold once everything has come to rest.
extension World {
  /// After every event of a node.
  func check(_ node: Node) {
    guard failure == nil, node.isRunning else { return }
    for (token, wait) in node.waits where now > wait.deadline {
      fail("wait \(token) of node \(node.index) has no answer")
    }
    for (token, read) in node.reads where now > read.deadline {
      fail("read \(token) of node \(node.index) has no answer")
    }
    if node.reads.count != node.fetcher.waitingReads {
      fail("node \(node.index): \(node.reads.count) reads wait, \(node.fetcher.waitingReads) known")
    }
    checkSilentLines(node)
    if node.fetcher.cachedBytes > node.fetcher.budget {
      fail("node \(node.index) keeps \(node.fetcher.cachedBytes) bytes of leaves")
    }
    if node.member.standing != .complete {
      if !node.view.isEmpty {
        fail("node \(node.index) shows some of a list that it does not have")
      }
    } else if node.comparedAt != node.member.replica.order {
      node.comparedAt = node.member.replica.order
      compare(node)
      checkLines(node)
    }
  }

  /// A replica is at every moment the list as it was at its order, also while it catches up with
  /// the next, and what was told of it makes the same.
  func compare(_ node: Node) {
    // Once: it is not small, and asked for every entry.
    let member = node.member
    let replica = member.replica
    let listed = Array(replica.list.unordered)
    if member.standing == .complete {
      let digest = Oracle.digest(of: listed, replica.members.values)
      if digest != oracle.digest(at: replica.order, replica.history) {
        fail("node \(node.index) is at \(replica.order) with another list")
        for one in listed where oracle.entries[one.key] != one {
          note("here: \(text(one.entry.path)) of \(one.owner) claimed \(one.claimed)")
        }
        for (key, one) in oracle.entries where replica.list[key] != one {
          note("there: \(text(one.entry.path)) of \(one.owner) claimed \(one.claimed)")
        }
      }
    }
    let visible = member.shown.unordered.filter { member.isVisible($0) }
    if visible.count != node.view.count
      || !visible.allSatisfy({ node.view[$0.key] == $0 })
    {
      fail("node \(node.index) was told another list than it has")
    }
    if node.isScanning { return }
    if member.ownCount != node.folder.count
      || !node.folder.entries.values.allSatisfy({ member.ownEntry($0.id) == $0 })
    {
      fail("node \(node.index) announces something else than its folder")
      for entry in node.folder.sorted where node.member.ownEntry(entry.id) != entry {
        note(
          "folder: \(text(entry.path)), member: \(node.member.ownEntry(entry.id).map { text($0.path) } ?? "nothing")"
        )
      }
    }
  }

  /// Once everything has come to rest.
  func checkRest() {
    let master = nodes[0]
    guard let host = master.master, hub.hub != nil, master.isRunning, host.hubIsReady else {
      return fail("the master or the hub is not back")
    }
    checkLiarsRest()
    let list = host.master.replica
    for node in nodes {
      compare(node)
      let publicID = hub.persisted.values.first { $0.key == node.key }?.publicID
      let admission = publicID.flatMap { hub.persisted[$0]?.admission }
      if let publicID, publicID != .master, let ours = list.members[publicID]?.admission,
        ours != admission
      {
        fail(
          "hub and master differ about node \(node.index): \(String(describing: admission)), \(ours)"
        )
      }
      checkVerdict(node, admission, host.master)
      if node.isDeparted || admission != .approved {
        if let publicID, list.list.count(ownedBy: publicID) > 0 {
          fail("node \(node.index) is gone or not approved, but its entries are listed")
        }
        if !node.isDeparted { checkOutsider(node, isOut: admission == .disapproved) }
      } else if let publicID {
        checkRest(node, publicID, list)
      }
    }
  }

  /// What a person decided holds, or is asked about: nobody is in who was put out, and nobody out
  /// who was let in without a word of why.
  private func checkVerdict(_ node: Node, _ admission: Admission?, _ master: Master) {
    guard let verdict = verdicts[node.key], !node.isMaster else { return }
    // Where both have lost what they knew, or only one ever knew it, nobody may be left to tell.
    let isForgotten =
      masterWasSetBack && (hubForgot || !toldVerdicts.contains(node.key))
    if verdict == .disapproved, admission == .approved, !isForgotten {
      fail("node \(node.index) was put out, and is in")
    }
    if verdict == .approved, admission == .disapproved, !isForgotten,
      master.restoration.doubts[node.key] == nil
    {
      fail("node \(node.index) was let in, and is out without a word")
    }
    if verdict == .approved, admission != .approved, !masterWasSetBack,
      master.restoration.doubts[node.key] == nil
    {
      fail("node \(node.index) was let in, and waits")
    }
  }

  private func checkOutsider(_ node: Node, isOut: Bool) {
    guard node.session != nil else { return fail("node \(node.index) is not connected") }
    // Whom a master does not remember keeps what it has, and waits.
    if !isOut, node.member.phase == .waiting { return }
    if node.member.replica.list.count > 0 || !node.view.isEmpty {
      fail("node \(node.index) is not approved and has a list")
    }
    if !node.reads.isEmpty || node.fetcher.flightCount > 0 {
      fail("node \(node.index) is not approved and still fetches")
    }
  }

  private func checkRest(_ node: Node, _ publicID: PublicID, _ list: Replica) {
    let member = node.member
    guard member.phase == .live else {
      return fail("node \(node.index) rests as \(member.phase)")
    }
    if member.replica.order != list.order {
      fail("node \(node.index) rests at \(member.replica.order), the master at \(list.order)")
    }
    if member.isCurtained { fail("node \(node.index) rests with an old list shown") }
    if member.pendingChanges > 0 {
      fail("node \(node.index) rests with \(member.pendingChanges) changes unanswered")
    }
    if list.list.count(ownedBy: publicID) != node.folder.count {
      for id in list.list.ids(ownedBy: publicID) where node.folder[id] == nil {
        let listed = list.list[EntryKey(publicID, id)]
        note("listed only: \(listed.map { text($0.entry.path) } ?? "") \(id.low % 10_000)")
      }
      for entry in node.folder.sorted where list.list[EntryKey(publicID, entry.id)] == nil {
        note("folder only: \(text(entry.path)) \(entry.id.low % 10_000)")
      }
      fail(
        "node \(node.index) has \(node.folder.count) entries, the list \(list.list.count(ownedBy: publicID))"
      )
    }
    for entry in node.folder.sorted {
      if list.list[EntryKey(publicID, entry.id)]?.entry != entry {
        fail("\(text(entry.path)) of node \(node.index) is not in the list as it is")
      }
      if !member.isAcked(entry.id) { fail("\(text(entry.path)) of node \(node.index) has no ack") }
    }
    if !node.reads.isEmpty || !node.waits.isEmpty || node.fetcher.flightCount > 0 {
      fail(
        "node \(node.index) rests with \(node.reads.count) reads, \(node.waits.count) waits, \(node.fetcher.flightCount) leaves on their way"
      )
    }
    if !node.bulkIsOpen { fail("node \(node.index) rests without bulk streams") }
    for other in nodes where other !== node && !other.isDeparted {
      guard let one = hub.persisted.values.first(where: { $0.key == other.key }),
        one.admission == .approved
      else { continue }
      if member.presences[one.publicID] != .online {
        fail(
          "node \(node.index) thinks \(one.publicID) is \(String(describing: member.presences[one.publicID]))"
        )
      }
    }
  }
}
