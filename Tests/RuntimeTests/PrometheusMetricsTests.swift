import CoreMetrics
import Runtime
import Testing

/// The text that Prometheus reads.
struct PrometheusMetricsTests {
  @Test func `what is counted is written with help, type and labels`() {
    let metrics = PrometheusMetrics(help: ["a_total": "How many.\nReally \\ many."])
    let up = Counter(label: "a_total", dimensions: [("direction", "up")], factory: metrics)
    up.increment(by: 3)
    Counter(label: "a_total", dimensions: [("direction", "up")], factory: metrics).increment()
    Counter(label: "a_total", dimensions: [("odd", "q\"b\\n\n")], factory: metrics).increment(by: 2)
    Meter(label: "level", factory: metrics).set(1.5)
    Recorder(label: "sizes", factory: metrics).record(2)
    Recorder(label: "sizes", factory: metrics).record(3)
    let text = String(decoding: metrics.text, as: UTF8.self)
    #expect(
      text == #"""
        # HELP a_total How many.\nReally \\ many.
        # TYPE a_total counter
        a_total{direction="up"} 4
        a_total{odd="q\"b\\n\n"} 2
        # TYPE level gauge
        level 1.5
        # TYPE sizes summary
        sizes_count 2
        sizes_sum 5

        """#)
  }

  @Test func `every name is one of Prometheus, and has a meaning`() {
    #expect(MetricNames.help.count > 40)
    for (name, meaning) in MetricNames.help {
      #expect(name.allSatisfy { $0.isLowercase || $0 == "_" }, "\(name)")
      #expect(meaning.hasSuffix(".") || meaning.contains(";"), "\(name)")
    }
  }
}
