/// Two folders that show the same: what comes into being in one is read in the other.
protocol Route: AnyObject {
  /// For the table.
  var name: String { get }
  /// Where files come into being.
  var source: String { get }
  /// Where they are read.
  var target: String { get }
  /// Who does the work, by role; each together with the processes that it starts.
  var processes: [(role: String, pid: Int32)] { get }
  /// Returns once what is in `source` is to be seen in `target`, without looking at it.
  func settle() throws
}

extension Route {
  /// Runs `body`. Returns: its result, and the seconds of processor time that each process used.
  func accounting<Result>(
    _ body: () throws -> Result
  ) throws -> (result: Result, used: [(role: String, seconds: Double)]) {
    let before = processes.map { Usage.processor($0.pid) }
    let result = try body()
    let used = zip(processes, before).map { process, seconds in
      (role: process.role, seconds: Usage.processor(process.pid) - seconds)
    }
    return (result, used)
  }
}
