/** What can be said of a frame, by the oracle as by the program, in the same words. */
import type { Losses } from '../../src/decode/event.js';

export interface Opinion {
	/** What is told or counted; nothing where the frame is none of the wire's business. */
	said: string;
	/** What is counted as lost, in the order of `enum loss`; undefined where the oracle cannot say. */
	loss: string | undefined;
}

/** As one text, for what is lost may be several things at once. */
export function losses(names: readonly (keyof Losses)[]): string {
	return names.join(' and ') || 'none';
}

export const nothing: Opinion = { said: 'nothing', loss: losses([]) };

export function lost(...names: (keyof Losses)[]): Opinion {
	return { said: 'nothing', loss: losses(names) };
}

/**
 * Where tshark gives up before it comes to what a packet says, it cannot know what there was to lose; that nothing was
 * told it knows.
 */
export const unread: Opinion = { said: 'nothing', loss: undefined };
