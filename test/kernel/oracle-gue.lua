-- Generic UDP encapsulation for tshark, which does not know it: draft-ietf-intarea-gue-09 sections 3 and 4. Only finds
-- where the inner packet begins; what that says is for tshark's own dissectors.
local gue = Proto("gue", "Generic UDP Encapsulation")
local families = { [4] = "ip", [41] = "ipv6" }

function gue.dissector(octets, packet, tree)
	if octets:len() < 4 then
		return 0
	end
	local variant, control, words = octets(0, 1):bitfield(0, 2), octets(0, 1):bitfield(2, 1), octets(0, 1):bitfield(3, 5)
	local family = families[octets(1, 1):uint()]
	local start = 4 + 4 * words
	if variant == 1 then
		family, start = octets(0, 1):bitfield(0, 4) == 4 and "ip" or "ipv6", 0
	end
	if variant > 1 or (variant == 0 and control == 1) or not family or octets:len() <= start then
		return octets:len()
	end
	return Dissector.get(family):call(octets(start):tvb(), packet, tree)
end

DissectorTable.get("udp.port"):add(6080, gue)
