"""The semantic model: where sizes come from and which tensors are the features of a contrastive loss.

Reading order, each file resting on those before it:

* names: what names mean, as evidence
* graph: values, syntax, expressions, flow (from a libcst module to its graph of `Value`, `Function`, `Class`, `Block`),
  linking (free names to their bindings, attributes to their class, calls to what they run), paths, literals, calls
* sizes: scalars, configured, origin (which integers are a tensor's own, and which reads of a configured size decide the
  others), guards
* shapes: what is known of the shapes of tensors, what operations need of them, and the table of operations, whose
  columns tell what a call means to a loss
* losses: features, cone, similarity, roles (similarities, the rows they compare, and what is computed from them), sinks
  (the places where an integer sizes, cuts, indexes or divides), engagement (whether such a place takes part in a loss,
  unprotected), model: `SemanticModel` and `ContrastiveLoss`, all that rules read
"""
