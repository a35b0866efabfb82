// elements 43, edges 54
// A router with two interfaces, the way the Click papers draw it.

elementclass OutputPath {
	$address, $color, $mtu |
	input -> DropBroadcasts
		-> paint :: CheckPaint($color)
		-> options :: IPGWOptions($address)
		-> FixIPSrc($address)
		-> ttl :: DecIPTTL
		-> fragment :: IPFragmenter($mtu)
		-> [0] output;
	paint [1] -> ICMPError($address, redirect, host) -> [1] output;
	options [1] -> ICMPError($address, parameterproblem) -> [1] output;
	ttl [1] -> ICMPError($address, timeexceeded) -> [1] output;
	fragment [1] -> ICMPError($address, unreachable, needfrag) -> [1] output;
}

// ARP requests, ARP replies, IP, the rest
c0 :: Classifier(12/0806 20/0001,
                 12/0806 20/0002,
                 12/0800,
                 -);
c1 :: Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -);
FromDevice(eth0) -> c0;
FromDevice(eth1) -> c1;
out0 :: Queue(200) -> todevice0 :: ToDevice(eth0);
out1 :: Queue(200) -> todevice1 :: ToDevice(eth1);

arpq0 :: ARPQuerier(18.26.4.24, 00:00:C0:3B:71:EF);
arpq1 :: ARPQuerier(18.26.7.1, 00:00:C0:CA:68:EF);
c0 [0] -> ARPResponder(18.26.4.24 00:00:C0:3B:71:EF) -> out0;
c1 [0] -> ARPResponder(18.26.7.1 00:00:C0:CA:68:EF) -> out1;
c0 [1] -> [1] arpq0;
c1 [1] -> [1] arpq1;
arpq0 -> out0;
arpq1 -> out1;

rt :: StaticIPLookup(18.26.4.24/32 0, 18.26.4.255/32 0, 18.26.4.0/32 0,
	18.26.7.1/32 0, 18.26.7.255/32 0, 18.26.7.0/32 0, /* networks */
	18.26.4.0/24 1, 18.26.7.0/24 2, 0.0.0.0/0 18.26.4.1 1);
ip :: Strip(14)
	-> CheckIPHeader(INTERFACES 18.26.4.1/24 18.26.7.1/24)
	-> [0] rt;
c0 [2] -> Paint(1) -> ip;
c1 [2] -> Paint(2) -> ip;
c0 [3] -> Print("eth0 non-IP") -> Discard;
c1 [3] -> Print("eth1 (not IP)") -> Discard;

rt [0] -> EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2) -> Discard;
rt [1] -> path0 :: OutputPath(18.26.4.24, 1, 1500) -> [0] arpq0;
rt [2] -> path1 :: OutputPath(18.26.7.1, 2, 1500) -> [0] arpq1;
path0 [1], path1 [1] -> [0] rt;
