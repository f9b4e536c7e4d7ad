import Testing

/// What people type, and what they read then. One after the other too, but beside `EndToEnd`: what
/// is typed waits more than it works. Here belongs what nobody else's mounts can disturb, and what
/// lives in a namespace of its own, which lets go of their mounts.
@Suite(
  .serialized, .lane,
  .enabled(if: Programs.canMount, "/dev/fuse is not there: mount tests are skipped"))
struct Commands {}
