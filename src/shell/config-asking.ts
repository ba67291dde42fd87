/** The section `probe` of the configuration: how servers are asked. What an answer proves is the judge's business. */
import * as z from 'zod';
import type { Asking } from '../judge/asking.js';

export const asking: z.ZodType<Asking> = z.strictObject({
	method: z.enum(['auto', 'connect', 'udp', 'command']).default('auto'),
});
