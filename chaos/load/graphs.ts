import type { Graph } from './graph';
import { loopGraphs } from './loop-graphs';
import { messageGraphs } from './message-graphs';
import { plainGraphs } from './plain-graphs';

/** Every graph whose runs are started, the more usual ones more often. */
export const graphs: readonly Graph[] = [...plainGraphs, ...loopGraphs, ...messageGraphs];
