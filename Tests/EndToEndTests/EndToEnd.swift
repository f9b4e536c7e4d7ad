import Testing

/// Everything that real processes and real mounts are needed for. One after the other: two mounts
/// and a hub are load enough. The numbers (S1 …) are those of docs/semantics.md.
@Suite(
  .serialized, .lane,
  .enabled(if: Programs.canMount, "/dev/fuse is not there: mount tests are skipped"))
struct EndToEnd {}
