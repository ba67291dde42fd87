/**
 * What the sections of the configuration are made of: schemas whose `error` says what is allowed. config-issue.ts puts the
 * place and what was found before it. No key is known here.
 */
import * as z from 'zod';

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
	return z.enum(values, { error: `one of ${values.join(', ')}` });
}

export function wholeNumber(unit: string, minimum: number, maximum: number) {
	const error = `a whole number of ${unit} from ${minimum} to ${maximum}`;
	return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

export function section<T extends z.core.$ZodLooseShape>(shape: T, keys: string) {
	return z.strictObject(shape, { error: `a section with ${keys}` });
}

export const commandForm = 'a list: the absolute path of a program, then its arguments';

export const command = z
	.array(z.string({ error: 'text' }), { error: commandForm })
	.refine(([program]) => program?.startsWith('/') === true, { error: commandForm });
