/**
 * The counters of a service or destination as IPVS sends them, twice: with 32 bits for connections and packets, and
 * then, on every kernel of today, with 64 for all. They are the longest part of an answer, so only one of the two is read. PURE.
 */
import { noStats, type Stats } from '../table/model.js';
import { AttributeReader } from './attribute.js';
import type { Extent } from './bytes.js';
import { statsAttribute } from './ipvs-numbers.js';

/** Where the counters stand. The 32-bit nest comes first and is not even read where the wider one follows. */
export interface Counters {
	extent: Extent;
	are64: boolean;
}

/** Reads a STATS or STATS64 nest; no counters where there is none, undefined where it is malformed. */
export function readStats(counters: Counters | undefined): Stats | undefined {
	if (!counters) return noStats;
	const attributes = new AttributeReader(counters.extent);
	const stats: Stats = { ...noStats };
	while (attributes.next()) {
		switch (attributes.type) {
			case statsAttribute.connections:
				stats.connections = readCount(attributes, counters.are64);
				break;
			case statsAttribute.packetsIn:
				stats.packetsIn = readCount(attributes, counters.are64);
				break;
			case statsAttribute.packetsOut:
				stats.packetsOut = readCount(attributes, counters.are64);
				break;
			case statsAttribute.bytesIn:
				stats.bytesIn = attributes.u64();
				break;
			case statsAttribute.bytesOut:
				stats.bytesOut = attributes.u64();
				return attributes.malformed ? undefined : stats; // Rates follow, which nobody here asks for.
		}
	}
	return attributes.malformed ? undefined : stats;
}

function readCount(attributes: AttributeReader, is64: boolean): bigint {
	return is64 ? attributes.u64() : BigInt(attributes.u32());
}
