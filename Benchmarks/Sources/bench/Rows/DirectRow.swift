/// What is read by a line between two members, beside the same through the hub.
enum DirectRow: Row {
  static let name = "direct"
  static let title = "read by a line"

  static func measure(on stage: Stage) throws -> Outcome {
    let size = stage.options.size
    let direct = try Group(stage, way: .direct)
    let hub = try Group(stage)
    let ssh = try SSH(stage)
    let routes: [any Route] = [direct, hub, ssh]
    let sequential = try stage.rounds(
      routes.map { route in
        Stage.Contender(route.name) { seed in try SequentialRow.read(route, size, seed) }
      })
    let random = try stage.rounds(
      routes.map { route in
        Stage.Contender(route.name) { seed in try RandomRow.read(route, size, seed) }
      })
    let first = try stage.rounds(
      routes.map { route in
        Stage.Contender(route.name) { seed in ["µs": try FirstByteRow.time(route, 200, seed) * 1e6]
        }
      })
    let (speed, reads, wait) = ("MB/s", "reads/s", "µs")
    return Outcome(
      figures: [
        Figure(
          "\(title): sequential", speed, sequential[direct.name, speed],
          against: (ssh.name, sequential[ssh.name, speed]), .atLeast(3.5, aim: 5)),
        Figure(
          "the same, of the way through the hub", speed, sequential[direct.name, speed],
          against: (hub.name, sequential[hub.name, speed]), .atLeast(1, aim: 1.5)),
        Figure(
          "\(title): processor, owner, hub and reader", "s/GB",
          sequential[direct.name, SequentialRow.total], .atMost(1.4, aim: 1.1)),
        Figure(
          "\(title): random reads of 4 KiB", reads, random[direct.name, reads],
          against: (ssh.name, random[ssh.name, reads]), .atLeast(2.5, aim: 4)),
        Figure(
          "\(title): processor for a random read", wait, random[direct.name, "processor µs"],
          .atMost(120, aim: 80)),
        Figure(
          "\(title): first byte of a small file", wait, first[direct.name, wait],
          against: (ssh.name, first[ssh.name, wait]), .atMost(0.4, aim: 0.3)),
      ],
      notes: routes.map { route in
        "s/GB, \(route.name): \(rounded(median(sequential[route.name, SequentialRow.total])))"
      })
  }
}
