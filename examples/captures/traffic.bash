# SPDX-License-Identifier: Apache-2.0
# What the hosts of make-captures do, capture by capture. Read by make-captures, not run alone.

s4=10.2.0.10 s6=2001:db8:2::10

router_traffic() {
	quiet a ping -c 3 -i 0.2 $s4
	quiet b ping -c 3 -i 0.2 $s6
	quiet b ping -c 2 -i 0.2 10.3.0.10                     # behind another router
	quiet a ping -c 2 -i 0.2 2001:db8:3::10
	quiet a ping -c 1 10.1.0.1                             # the router itself
	quiet b ping -c 1 2001:db8:1::1
	quiet a curl -s "http://$s4/" "http://$s4/small" "http://$s4/missing"
	quiet b curl -s "http://[$s6]/" "http://[$s6]/small" "http://[$s6]/missing"
	quiet b curl -s --data-binary "@$work/www/small" http://10.2.0.20/post
	quiet a dig +tries=1 @$s4 www.example.net A
	quiet b dig +tries=1 @$s6 www.example.net AAAA
	quiet a dig +tries=1 +time=1 -p 9 @$s4 closed.example.net   # nobody listens there
	quiet b iperf3 -u -c $s4 -b 160k -l 800 -t 1
	quiet a iperf3 -u -c $s6 -b 160k -l 800 -t 1
	quiet a traceroute -n -m 3 $s4
	quiet b traceroute -6 -n -m 3 $s6
	quiet a ping -c 2 -i 0.2 -W 1 10.99.0.1                # no such prefix
	quiet b ping -c 2 -i 0.2 -W 1 2001:db8:99::1
	quiet a ping -c 1 -W 1 10.2.0.77                       # no such host in a prefix that exists
	quiet a ping -c 1 -W 1 -M do -s 1800 $s4               # too long for the way out, must not be fragmented
	quiet b ping -c 1 -W 1 -M do -s 1800 $s6
	quiet b ping -c 1 -W 1 -M dont -s 1800 10.2.0.20       # too long, may be fragmented
	quiet a ping -c 1 -W 1 -s 3000 10.2.0.20               # comes in fragments
	quiet a ping -c 1 -W 1 -s 3000 2001:db8:2::20
	quiet b ping -c 1 -W 1 -R $s4                          # IPv4 options
}

# What arrives at the router: on the side of the hosts, and on both sides at once (pcapng, two interfaces).
router_captures() {
	record router.pcap lan -Q in
	ip netns exec "$run-r" dumpcap -q -i lan -f inbound -i wan -f inbound -w "$work/both.pcapng" 2>"$work/dumpcap" &
	local dumpcap=$!
	started+=($dumpcap)
	until [ -s "$work/both.pcapng" ]; do kill -0 $dumpcap; sleep 0.1; done
	forget_neighbours
	router_traffic
	stop
	stop $dumpcap
	/usr/bin/python3 "$here/rewrite.py" nameless "$work/both.pcapng" "$out/router-both-sides.pcapng"
	tshark -r "$out/router-both-sides.pcapng" -Y 'frame.interface_id == 1' -F nsecpcap -w "$out/router-wan.pcap"
}

neighbours() {
	forget_neighbours
	on a sysctl -qw net.ipv6.conf.eth0.accept_dad=1
	ip -n "$run-a" addr add 2001:db8:1::11/64 dev eth0     # asks first whether somebody has it
	quiet a ping -c 1 10.1.0.1
	quiet b ping -c 1 2001:db8:1::1
	quiet a ping -c 1 10.1.0.20                            # the router sees the question only
	quiet a ping -c 1 -W 1 10.1.0.99                       # nobody answers
	sleep 2
	ip -n "$run-a" addr del 2001:db8:1::11/64 dev eth0
}

web() {
	quiet a curl -s "http://$s4/" "http://$s4/small" "http://$s4/missing" "http://$s4/"
	quiet b curl -s "http://[$s6]/" "http://[$s6]/missing" "http://[$s6]/small"
	quiet a curl -s "http://$s4/large"
}

names() {
	local server
	for server in $s4 $s6; do
		quiet a dig +tries=1 @$server www.example.net A
		quiet b dig +tries=1 @$server web.example.net AAAA
		quiet a dig +tries=1 @$server example.net MX
		quiet b dig +tries=1 @$server nothing.example.net A
		quiet a dig +tries=1 @$server other.example.com A
	done
	quiet a dig +tries=1 +noedns @$s4 big.example.net TXT  # cut short, asked again over TCP
}

secure() {
	local version
	for version in tls1_3 tls1_2; do
		printf 'GET / HTTP/1.0\r\n\r\n' | quiet a openssl s_client -quiet -$version -connect $s4:443 -servername www.example.net
	done
	printf 'GET / HTTP/1.0\r\n\r\n' | quiet b openssl s_client -quiet -connect "[$s6]:443" -servername six.example.net
	printf '\r\n' | quiet b openssl s_client -quiet -tls1_2 -cipher NULL-SHA256 -connect $s4:443   # refused: an alert
}

errors() {
	quiet a traceroute -n -m 3 $s4
	quiet a traceroute -6 -n -m 3 $s6
	quiet b traceroute -n -I -m 3 $s4
	quiet a dig +tries=1 +time=1 -p 9 @$s4 closed.example.net
	quiet b dig +tries=1 +time=1 -p 9 @$s6 closed.example.net
	quiet a curl -s -m 2 "http://$s4:9/"                   # refused with a reset
	quiet a ping -c 1 -W 1 10.99.0.1
	quiet b ping -c 1 -W 1 2001:db8:99::1
	quiet a ping -c 1 -W 4 10.2.0.77
	quiet a ping -c 1 -W 1 -M do -s 1800 10.2.0.20
	quiet b ping -c 1 -W 1 -M do -s 1800 2001:db8:2::20
}

fragments() {
	quiet a ping -c 2 -i 0.2 -s 3000 10.3.0.10
	quiet b ping -c 2 -i 0.2 -s 3000 2001:db8:3::10
	quiet b ping -c 1 -s 8000 10.3.0.10
}

inside_a_tunnel() { quiet a ping -c 3 -i 0.2 192.0.2.2; quiet a ping -c 3 -i 0.2 2001:db8:7::2; quiet a curl -s http://192.0.2.2/small; }

make_vxlan() {
	ip -n "$run-a" link add vx0 address 02:00:00:00:07:01 type vxlan id 4242 dstport 4789 local 10.1.0.10 remote 10.2.0.20
	ip -n "$run-s" link add vx0 address 02:00:00:00:07:02 type vxlan id 4242 dstport 4789 local 10.2.0.20 remote 10.1.0.10
	addresses a vx0 192.0.2.1/24 2001:db8:7::1/64
	addresses s vx0 192.0.2.2/24 2001:db8:7::2/64
	for name in a s; do ip -n "$run-$name" link set vx0 mtu 1400 up; done
}

make_all() {
	record neighbours.pcap lan;                                neighbours; stop
	router_captures
	record http.pcap lan tcp port 80;                          web; stop
	record dns.pcap lan port 53;                               names; stop
	record tls.pcap lan tcp port 443;                          secure; stop
	record icmp-errors.pcap lan ip or ip6;                     errors; stop
	record fragments.pcap lan "ip proto 1 or ip6 proto 44";    fragments; stop
	record iperf3-udp.pcap lan "ip or ip6 and not icmp6"
	quiet a iperf3 -u -c $s4 -b 400k -l 1000 -t 1; quiet b iperf3 -u -R -c $s6 -b 400k -l 1000 -t 1; stop
	record options.pcap lan "ip[0] != 0x45 and ip or ip6 proto 0"
	quiet a ping -c 2 -i 0.2 -R $s4; quiet b ping -c 2 -i 0.2 -T tsandaddr $s4
	addresses b eth0 2001:db8:1::12/64; sleep 1; ip -n "$run-b" addr del 2001:db8:1::12/64 dev eth0; stop   # reports membership
	offloads on
	record offload.pcap lan tcp port 80
	quiet a curl -s "http://$s4/large" -r 0-59999; quiet b curl -s "http://[$s6]/large" -r 0-59999; stop
	offloads off
	make_vxlan
	record vxlan.pcap lan udp port 4789;                       inside_a_tunnel; stop
	out=$work record plain.pcap lan "host $s4 or host $s6"
	quiet a ping -c 2 -i 0.2 $s4; quiet a ping -c 2 -i 0.2 $s6; quiet a curl -s "http://$s4/small"; quiet a dig @$s6 www.example.net AAAA; stop
	/usr/bin/python3 "$here/rewrite.py" encapsulate "$work/plain.pcap" "$out"
}
