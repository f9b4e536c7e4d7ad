import Testing

/// What chance and malice do to a group: kills, damage, full disks, random histories, hubs and
/// members that lie. One after the other too, in the third lane.
@Suite(
  .serialized, .lane,
  .enabled(if: Programs.canMount, "/dev/fuse is not there: mount tests are skipped"))
struct Adversity {}
