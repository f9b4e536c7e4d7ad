package import CoreMetrics
import Glibc
import System

/// What swift-metrics counts, as Prometheus reads it: the text format 0.0.4.
///
/// Made for programs whose names of metrics are their own: a label of swift-metrics is the name,
/// and what it means is known beforehand (`help`).
package final class PrometheusMetrics: MetricsFactory, Sendable {
  /// What a family of series is.
  private enum Kind: String {
    case counter, gauge, summary
  }

  private struct Family {
    let kind: Kind
    /// By their labels, as they are written.
    var series: [String: any Series] = [:]
  }

  private let help: [String: String]
  private let families = Locked<[String: Family]>([:])

  /// `help`: what each name means.
  package init(help: [String: String]) { self.help = help }

  /// All of it, as text. Any thread.
  package var text: [UInt8] {
    var lines: [String] = []
    for (name, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      if let meaning = help[name] {
        lines.append("# HELP \(name) \(Self.escaped(meaning, quotes: false))")
      }
      lines.append("# TYPE \(name) \(family.kind.rawValue)")
      for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
        for (suffix, value) in series.values {
          lines.append("\(name)\(suffix)\(labels) \(Self.shown(value))")
        }
      }
    }
    return Array(lines.map { $0 + "\n" }.joined().utf8)
  }

  private func series<One: Series>(
    _ kind: Kind, _ name: String, _ dimensions: [(String, String)], _ make: () -> One
  ) -> One {
    let labels = Self.labels(dimensions)
    return families.withLock { families in
      if let known = families[name]?.series[labels] as? One { return known }
      let made = make()
      families[name, default: Family(kind: kind)].series[labels] = made
      return made
    }
  }

  private static func labels(_ dimensions: [(String, String)]) -> String {
    if dimensions.isEmpty { return "" }
    let pairs = dimensions.map { "\($0)=\"\(escaped($1, quotes: true))\"" }
    return "{\(pairs.joined(separator: ","))}"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    let plain = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return quotes ? plain.replacing("\"", with: "\\\"") : plain
  }

  private static func shown(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}

// MARK: - What swift-metrics asks for

extension PrometheusMetrics {
  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(.counter, label, dimensions) { Count() }
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(.counter, label, dimensions) { FloatingCount() }
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(.gauge, label, dimensions) { Level() }
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    aggregate
      ? series(.summary, label, dimensions) { Summary() }
      : series(.gauge, label, dimensions) { Level() }
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(.summary, label, dimensions) { Summary() }
  }

  // They live as long as the process.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}
}

/// One line of numbers, or some.
private protocol Series: AnyObject, Sendable {
  /// What follows the name, and the value.
  var values: [(suffix: String, value: Double)] { get }
}

/// What only grows.
private final class Count: Series, CounterHandler {
  private let total = Locked<Int64>(0)

  var values: [(suffix: String, value: Double)] { [("", Double(total.withLock { $0 }))] }
  func increment(by amount: Int64) { total.withLock { $0 &+= max(0, amount) } }
  func reset() { total.withLock { $0 = 0 } }
}

/// What only grows, in parts of one.
private final class FloatingCount: Series, FloatingPointCounterHandler {
  private let total = Locked<Double>(0)

  var values: [(suffix: String, value: Double)] { [("", total.withLock { $0 })] }
  func increment(by amount: Double) { total.withLock { $0 += max(0, amount) } }
  func reset() { total.withLock { $0 = 0 } }
}

/// What goes up and down.
private final class Level: Series, MeterHandler, RecorderHandler {
  private let level = Locked<Double>(0)

  var values: [(suffix: String, value: Double)] { [("", level.withLock { $0 })] }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { level.withLock { $0 = value } }
  func increment(by amount: Double) { level.withLock { $0 += amount } }
  func decrement(by amount: Double) { level.withLock { $0 -= amount } }
  func record(_ value: Int64) { set(Double(value)) }
  func record(_ value: Double) { set(value) }
}

/// How many there were, and what they come to; times in seconds.
private final class Summary: Series, RecorderHandler, TimerHandler {
  private let all = Locked((count: 0.0, sum: 0.0))

  var values: [(suffix: String, value: Double)] {
    let (count, sum) = all.withLock { $0 }
    return [("_count", count), ("_sum", sum)]
  }
  func record(_ value: Int64) { record(Double(value)) }
  func record(_ value: Double) { all.withLock { $0 = ($0.count + 1, $0.sum + value) } }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
