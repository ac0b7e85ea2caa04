"""The semantic model: where sizes come from and which tensors are the features of a contrastive loss.

Reading order, each file resting on those before it:

* names: what names mean, as evidence
* values: the graph of one file (`Value`, `Function`, `Class`, `Block`)
* syntax, expressions, flow: from a libcst module to its graph
* linking: free names to their bindings, attributes to their class, calls to what they run
* paths, literals: how a read is written, and the displays behind it
* shapes, configured, origin: which integers are a tensor's own, and which reads of a configured size decide the others
* calls, features, cone, similarity, roles: similarities, the rows they compare, and what is computed from them
* sinks: the places where an integer sizes, cuts, indexes or divides
* guards, engagement: whether such a place takes part in a loss, unprotected
* contrastive: `SemanticModel` and `ContrastiveLoss`, all that rules read
* extent, integer_extents, extents: how many rows tensors have, for the planner of fixes
"""
