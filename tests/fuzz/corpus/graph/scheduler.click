// elements 18, edges 17
// Queues by service class behind a scheduler: groups, overloading, many-to-many connections, nested scopes.
elementclass Class {
	-> Queue(100) -> ;
||
	$capacity | input -> q :: Queue($capacity) -> RED(5, 50, 0.02) -> output;
}
elementclass Class { // one definition more
	$capacity, RATE $rate |
	elementclass Limit { $r | -> BandwidthShaper($r) -> }
	-> Queue($capacity) -> Limit($rate) ->
||
	...
}
src :: InfiniteSource(DATA \<00 00 c0 ae 67 ef  00 00 00 00 00 00  08 00>, LIMIT 600000, STOP true)
	-> Strip(14)
	-> mark :: IPClassifier(ip dscp 46, ip dscp 10, -) => (
		[0] -> Paint(0) -> [0];
		[1] -> [1];
		[2] -> Paint(2) -> c :: Counter -> [2];
	) => Class, Class(20), best :: Class(40, RATE 1MBps)
	=> [0, 1, 2] prio :: PrioSched;
prio -> TimedSink(0.01);
Idle -> { input -> { input -> Null -> output } -> output; input [1] -> output } -> last :: Discard;
Idle -> x :: { [0] -> [0]; [0] -> [1]; };
x [0, 1] -> last;
Script(TYPE ACTIVE, wait 10s, write src.active false, "print \"done (really)\"", stop);
