import CoreMetrics
package import Protocol
import System
import Transport

/// What a program says of itself to who looks after it: `/healthz`, 200 where it is well and 503
/// with the reason where not, and `/metrics`, the numbers that Prometheus reads.
package final class OperatorPort: Sendable {
  /// What the port shows.
  package struct Subject: Sendable {
    let program: String
    let role: String
    let trouble: @Sendable () -> String?
    let measure: @Sendable () -> Void

    /// `trouble`: why it is not well, nil where it is; `measure`: brings its meters up to date.
    package init(
      program: String, role: String, trouble: @escaping @Sendable () -> String?,
      measure: @escaping @Sendable () -> Void
    ) {
      self.program = program
      self.role = role
      self.trouble = trouble
      self.measure = measure
    }
  }

  private let server: ProbeServer
  private let address: ListenAddress

  /// Has everything counted from now on: what is counted before this is lost. Once in a process.
  package static func beginCounting() -> PrometheusMetrics {
    let metrics = PrometheusMetrics(help: MetricNames.help)
    MetricsSystem.bootstrap(metrics)
    return metrics
  }

  /// Binds and serves. Throws: an ending that names the address.
  package init(
    at address: ListenAddress, showing metrics: PrometheusMetrics, of subject: Subject
  ) throws(Ending) {
    let process = ProcessMeters(program: subject.program, role: subject.role)
    do throws(SystemError) {
      server = try ProbeServer(listen: address) { path in
        switch path {
        case "/healthz": Self.health(subject.trouble())
        case "/metrics":
          Self.page(metrics, subject, process)
        default: nil
        }
      }
      try server.start()
    } catch { throw Ending(.failure, "metrics: \(error)") }
    self.address = ListenAddress(host: address.host, port: server.port)
  }

  /// Where it is, for people.
  package var url: String { "http://\(address)/metrics" }

  /// Closes the port.
  package func stop() { server.stop() }

  private static func health(_ trouble: String?) -> ProbeAnswer {
    trouble.map { ProbeAnswer(status: "503 Service Unavailable", text: $0) }
      ?? ProbeAnswer(status: "200 OK", text: "ok")
  }

  private static func page(
    _ metrics: PrometheusMetrics, _ subject: Subject, _ process: ProcessMeters
  ) -> ProbeAnswer {
    subject.measure()
    process.measure(isHealthy: subject.trouble() == nil)
    return ProbeAnswer(
      status: "200 OK", type: "text/plain; version=0.0.4; charset=utf-8", body: metrics.text)
  }
}
