// elements 18, edges 20
// Address translation with named addresses, shared by several elements, and connections declared in passing.
define($INTERNAL eth1, $EXTERNAL eth0,
	$NET 10.0.0.0/8);

AddressInfo(internal 10.0.0.1 10.0.0.0/8 00:50:ba:85:84:a9,
	external 209.6.198.213 00:e0:98:09:ab:af);

rewriter :: IPRewriter(pattern external 50000-65535 - - 0 1, // outward
	pattern external 50000-65535 - - 0 1,
	pass 1);
FromDevice($EXTERNAL, 1) -> from_outside :: Classifier(12/0800, 12/0806 20/0001, -);
FromDevice($INTERNAL) -> from_inside :: Classifier(12/0800, -);
from_outside, from_inside -> check :: CheckIPHeader2(14)
	-> split :: IPClassifier(dst host external and (tcp or udp) and not port (22 or 80),
		src net $NET, -);
split [0] -> [2] rewriter;
split [1] -> [0] rewriter;
split [2] -> dump :: Tee(2) -> Discard;
dump [1] -> ToDump("-", SNAPLEN 96);
rewriter [0, 1] => inner :: SetTCPChecksum, outer :: SetTCPChecksum;
inner -> q1 :: Queue -> ToDevice($INTERNAL);
outer -> q0 :: Queue(${CAPACITY-1000}) -> ToDevice($EXTERNAL);
from_outside [1], from_outside [2], from_inside [1] -> Discard;
rewriter [2] -> [1] rewriter;
