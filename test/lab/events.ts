/**
 * What the guest tells the host while it runs: one JSON line each in events.ndjson of the share. Times are milliseconds
 * of the guest's boot clock.
 */
export type LabEvent =
	/** The guest's runner is up. */
	| { kind: 'ready'; atMs: number; release: string }
	| { kind: 'begin'; atMs: number; scenario: string }
	| { kind: 'note'; atMs: number; scenario: string; sentence: string }
	| { kind: 'fact'; atMs: number; scenario: string; name: string; value: string | number | boolean }
	| { kind: 'end'; atMs: number; scenario: string; tookMs: number; failure?: string };

/** What the host asks of the guest: plan.json of the share. */
export interface Plan {
	runs: { scenario: string; blind: boolean }[];
	/** A topology to sit in with a shell instead. */
	shell: boolean;
}

export const shareInGuest = '/run/lab';
