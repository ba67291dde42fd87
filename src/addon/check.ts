/**
 * What every argument passes before it reaches C++, which trusts it. A wrong argument is our own bug, so these throw a
 * TypeError or RangeError that names the argument and what came instead.
 */

/** Linux: IFNAMSIZ, BPF_OBJ_NAME_LEN and C identifiers are all far below; a path may have PATH_MAX. */
const textLengthMax = 4095;
const u32Max = 0xffff_ffff;

function shown(value: unknown): string {
	if (value === null) return 'null';
	return typeof value === 'number' ? String(value) : typeof value;
}

export function checkText(value: unknown, what: string): string {
	if (typeof value !== 'string') throw new TypeError(`${what} must be a string, not ${shown(value)}`);
	if (value === '' || value.length > textLengthMax || value.includes('\0'))
		throw new RangeError(`${what} must have 1 to ${textLengthMax} characters and no NUL`);
	return value;
}

export function checkInteger(value: unknown, what: string, min: number, max: number = u32Max): number {
	if (typeof value !== 'number') throw new TypeError(`${what} must be a number, not ${shown(value)}`);
	if (!Number.isInteger(value) || value < min || value > max)
		throw new RangeError(`${what} must be an integer from ${min} to ${max}, not ${value}`);
	return value;
}

/** `length`: the exact number of bytes that the kernel will read. */
export function checkBytes(value: unknown, what: string, length?: number): Uint8Array {
	if (!(value instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array, not ${shown(value)}`);
	if (length !== undefined && value.byteLength !== length)
		throw new RangeError(`${what} must have ${length} bytes, not ${value.byteLength}`);
	return value;
}

export function checkBoolean(value: unknown, what: string): boolean {
	if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false, not ${shown(value)}`);
	return value;
}

export function checkFunction<F>(value: F, what: string): F {
	if (typeof value !== 'function') throw new TypeError(`${what} must be a function, not ${shown(value)}`);
	return value;
}

export function checkInstance<T>(value: unknown, type: abstract new (...args: never[]) => T, what: string): T {
	if (!(value instanceof type)) throw new TypeError(`${what} must be a ${type.name}, not ${shown(value)}`);
	return value;
}
