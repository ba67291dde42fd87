/**
 * The words that an option or a key of the configuration may take, said once for both. Apart from config.ts so that
 * `--help` need not load the schema.
 */
export const modes = ['observe', 'notify', 'assist'] as const;
export const attachKinds = ['auto', 'tc', 'xdp', 'xdp-generic', 'none'] as const;
export const attemptSources = ['auto', 'wire'] as const;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** What `replay` takes every probe to have met. */
export const assumptions = ['none', 'refused', 'accepted'] as const;
export const outputs = ['table', 'json'] as const;

export type Assumption = (typeof assumptions)[number];
export type Output = (typeof outputs)[number];
