import Core
import Protocol

/// What programs read of what others share.
extension World {
  func readSomething(_ node: Node) {
    if random.chance(300) || node.streams.isEmpty {
      let files = node.view.values.filter { $0.entry.kind == .file }
        .sorted { $0.key < $1.key }
      // Whoever reads from somebody goes on with that, mostly.
      let near = random.chance(700) ? files.filter { node.lines.leads(to: $0.owner) } : []
      guard let file = random.pick(near.isEmpty ? files : near) else { return }
      let stream = node.token()
      let content = Content(file.entry, of: file.owner)
      node.streams[stream] = content
      node.fetcher.open(stream, content)
    }
    let streams = node.streams.keys.sorted()
    let near =
      random.chance(500) ? streams.filter { node.lines.leads(to: node.streams[$0]!.owner) } : []
    guard let stream = random.pick(near.isEmpty ? streams : near),
      let content = node.streams[stream]
    else { return }
    for _ in 0..<(1 + random.below(3)) {
      let offset = content.size == 0 ? 0 : UInt64(random.below(Int(content.size) + 10))
      let most = random.chance(500) ? 4_096 : random.chance(800) ? 2 * Limits.leaf : 1 << 20
      let length = 1 + random.below(most)
      read(content, stream, offset: offset, length: length, node)
    }
    if random.chance(200) {
      node.fetcher.close(stream)
      node.streams[stream] = nil
    }
  }

  private func read(
    _ content: Content, _ stream: StreamID, offset: UInt64, length: Int, _ node: Node,
    isProbe: Bool = false
  ) {
    let token = node.token()
    let rest = content.size > offset ? content.size - offset : 0
    node.reads[token] = PendingRead(
      content: content, offset: offset, length: min(UInt64(length), rest), began: now,
      deadline: now + fetcherSettings.timeout, isOfLiar: isLiar(content.owner, seenBy: node),
      isProbe: isProbe)
    statistics.reads += 1
    note("node \(node.index) read \(token): \(offset)+\(length) of \(content.owner)")
    withFetcher(node) {
      $0.read(token, stream: stream, offset: offset, length: length, now: now, into: &$1)
    }
  }

  /// At rest everybody can read everything that shows, but what liars say they have.
  func readEverything(upTo limit: Int = 40, isProbe: Bool = false) {
    for node in nodes where node.isRunning && node.member.phase == .live {
      let files = node.view.values.filter { $0.entry.kind == .file && $0.entry.size > 0 }
        .sorted { $0.key < $1.key }
      let (lies, truths) =
        liars.isEmpty
        ? ([], files[...])
        : (
          files.filter { isLiar($0.owner, seenBy: node) }.prefix(4),
          files.filter { !isLiar($0.owner, seenBy: node) }[...]
        )
      for file in (isProbe ? Array(lies) : []) + truths.prefix(limit) {
        let stream = node.token()
        let content = Content(file.entry, of: file.owner)
        node.fetcher.open(stream, content)
        if isProbe { statistics.probes += 1 }
        read(
          content, stream, offset: 0, length: Int(min(content.size, 1 << 20)), node,
          isProbe: isProbe)
        node.fetcher.close(stream)
      }
    }
  }

  /// One file of each owner that has some.
  func readOneOfEach(_ node: Node) {
    guard node.isRunning, node.member.phase == .live else { return }
    var owners: Set<PublicID> = []
    let files = node.view.values.filter { $0.entry.kind == .file && $0.entry.size > 0 }
    for file in files.sorted(by: { $0.key < $1.key })
    where owners.insert(file.owner).inserted {
      let stream = node.token()
      let content = Content(file.entry, of: file.owner)
      node.fetcher.open(stream, content)
      read(content, stream, offset: 0, length: 1, node)
      node.fetcher.close(stream)
    }
  }
}

extension Content {
  /// What an entry of the list has.
  init(_ entry: Entry, of owner: PublicID) {
    self.init(owner: owner, entry: entry.id, version: entry.version, size: entry.size)
  }
}
