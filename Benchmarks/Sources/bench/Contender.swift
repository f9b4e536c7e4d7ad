/// One way for a file to come from one side to the other.
protocol Contender: AnyObject {
  /// For the table.
  var name: String { get }
  /// Brings a file that nobody has read into being at one side, reads it at the other, and takes it
  /// away. Returns: the seconds of the reading.
  func measure(size: Int, seed: UInt64) throws -> Double
}
