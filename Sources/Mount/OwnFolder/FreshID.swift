import Protocol
import System

extension RandomID {
  /// A new one, drawn at random.
  static func fresh() -> RandomID {
    RandomID(high: SecureRandom.uint64(), low: SecureRandom.uint64())
  }
}
