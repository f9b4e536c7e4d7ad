/// Time on a clock that never goes back, since its own beginning. Core reads no clock: `now` is
/// passed in.
package typealias Instant = Duration
