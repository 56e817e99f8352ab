package strictyaml

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// readsNode reports whether a t reads its node itself.
func readsNode(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]())
}

// prepareTree is prepare for a value that reads its node itself: every scalar is text.
func (r *Reader) prepareTree(n *yaml.Node, path string) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return r.errorf(n.Line, path, "anchors, aliases and tags are not known here; quote a value that begins with & * or !")
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return r.prepareScalar(n, reflect.TypeFor[string](), path)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if err := r.prepareTree(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		lines := make(map[string]int)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				return r.errorf(key.Line, path, "a key must be a word")
			}
			if line, twice := lines[key.Value]; twice {
				return r.errorf(key.Line, path, "key %q is here and in line %d", key.Value, line)
			}
			lines[key.Value] = key.Line
			if err := r.prepareTree(n.Content[i+1], join(path, key.Value)); err != nil {
				return err
			}
		}
	}
	return nil
}
