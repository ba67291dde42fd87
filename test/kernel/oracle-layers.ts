/** A walk through tshark's dissection, layer by layer, with the fields that belong to each. */
import { canonicalAddress } from '../../src/table/address.js';
import type { Dissection, FieldName } from './oracle.js';

export class Layers {
	readonly #dissection: Dissection;
	readonly #names: readonly string[];
	#at = 0;

	constructor(dissection: Dissection) {
		this.#dissection = dissection;
		this.#names = dissection.layers;
	}

	/** The layer that the walk stands at; undefined behind the last. */
	get name(): string | undefined {
		return this.#names[this.#at];
	}

	next(): void {
		this.#at += 1;
	}

	/** Of this layer: the n-th layer of a name has the n-th value of each of its fields. */
	text(field: FieldName): string | undefined {
		const nth = this.#names.slice(0, this.#at).filter((name) => name === this.name).length;
		return this.#dissection.fields[field][nth];
	}

	number(field: FieldName): number | undefined {
		const text = this.text(field);
		return text === undefined ? undefined : Number(text);
	}

	address(field: FieldName): string | undefined {
		return canonicalAddress(this.text(field) ?? '');
	}

	/** Octets of the whole frame. */
	get frameOctets(): number {
		return Number(this.#dissection.fields['frame.len'][0]);
	}

	/** Whether a field is anywhere in the frame. */
	has(field: FieldName): boolean {
		return this.#dissection.fields[field].length > 0;
	}

	/** How often fields are in the frame. */
	count(fields: readonly FieldName[]): number {
		return fields.reduce((sum, field) => sum + this.#dissection.fields[field].length, 0);
	}

	/** Whether tshark gave up in a layer of this name, which is its own name for it. */
	isMalformed(what: string): boolean {
		return this.#dissection.fields['_ws.malformed'].some((text) => text.startsWith(`[Malformed Packet: ${what}`));
	}
}
