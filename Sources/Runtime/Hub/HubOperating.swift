package import Protocol
package import System
import Transport

/// What a hub alone does for who looks after the machine: it says how it does, and to the service
/// manager that it gets on.
package struct HubOperating: Sendable {
  private let watch: ProgressWatch?
  private let port: OperatorPort?

  /// `metrics`: where it says how it does, and what was counted; nil: nowhere. Behind the hub's
  /// start.
  package init(
    _ hub: HubRuntime, _ metrics: (ListenAddress, PrometheusMetrics)?, _ notifier: ServiceNotifier
  ) throws {
    let limit = ServiceNotifier.watchdogTime()
    guard limit != nil || metrics != nil else {
      (watch, port) = (nil, nil)
      return
    }
    let pulse = hub.pulse
    let watch = ProgressWatch(
      [{ pulse.trouble(now: $0, patience: ProgressWatch.patience) }], limit: limit,
      notifier: notifier, log: hub.log)
    try watch.start()
    self.watch = watch
    guard let (address, counted) = metrics else {
      port = nil
      return
    }
    hub.beginShowing()
    port = try OperatorPort(
      at: address, showing: counted,
      of: OperatorPort.Subject(
        program: "fshare-hub", role: "hub", trouble: { watch.trouble ?? hub.trouble },
        measure: { hub.measure() }))
  }

  /// Where it says how it does; nil: nowhere.
  package var url: String? { port?.url }

  /// Ends it.
  package func stop() {
    port?.stop()
    watch?.stop()
  }
}
