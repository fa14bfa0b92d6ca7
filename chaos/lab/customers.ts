import { type Account, signUp } from '../../apps/api/test/support/account';
import { ApiClient } from '../../apps/api/test/support/api-client';
import { publish, type Published } from '../../apps/api/test/support/workflows';
import type { Graph } from '../load/graph';

/** Somebody whose workflows are run. */
export interface Customer {
  readonly account: Account;
  /** What is started; of the usual ones the same several times. */
  readonly workflows: readonly { readonly graph: Graph; readonly published: Published }[];
}

/** Signs up customers, each with every graph. */
export async function signUpCustomers(
  url: string,
  {
    count,
    effectUrl,
    graphs,
  }: { readonly count: number; readonly effectUrl: string; readonly graphs: readonly Graph[] },
): Promise<readonly Customer[]> {
  const server = new ApiClient(url);
  const customers: Customer[] = [];
  for (let made = 0; made < count; made += 1) {
    const account = await signUp(server);
    const shelf = new Shelf(account, effectUrl);
    const workflows: Customer['workflows'][number][] = [];
    for (const graph of graphs) workflows.push({ graph, published: await shelf.published(graph) });
    customers.push({ account, workflows });
  }
  return customers;
}

/** The workflows of an account, each published once. */
class Shelf {
  readonly #published = new Map<Graph, Published>();

  constructor(
    private readonly account: Account,
    private readonly effectUrl: string,
  ) {}

  /** What a graph calls is published before it. */
  async published(graph: Graph): Promise<Published> {
    const known = this.#published.get(graph);
    if (known) return known;
    const calledId = graph.called ? (await this.published(graph.called.graph)).workflowId : '';
    const { account, effectUrl } = this;
    const published = await publish(account, graph.definition({ effectUrl, calledId }));
    this.#published.set(graph, published);
    return published;
  }
}
